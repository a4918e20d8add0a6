/** One order's state as an event states it; `seq` is the event's number in the log, so a row tells which event it is from. */
export interface OrderData {
  readonly orderId: string
  readonly seq: number
  readonly status: string
  readonly amountCents: number
  readonly currency: string
  readonly customer: string
}

export interface BenchEvent {
  readonly key: string
  readonly value: string
}

/** Which order the event with this number is about. */
export type Orders = (seq: number) => number

const STATUSES = ['placed', 'paid', 'packed', 'shipped', 'delivered']
const CURRENCIES = ['EUR', 'USD', 'GBP', 'JPY']
const BEGIN = Date.UTC(2026, 0, 1)

/** Every event is about an order of its own. */
export const unique: Orders = (seq) => seq

/** The same `count` numbers in every run: entity popularity by Zipf's law with exponent 0.99, as in YCSB. */
export function zipf(count: number, entities: number, exponent = 0.99): Orders {
  const cumulative = new Float64Array(entities)
  let sum = 0
  for (let rank = 0; rank < entities; rank++) cumulative[rank] = sum += (rank + 1) ** -exponent
  const random = mulberry(1)
  const drawn = Uint32Array.from({ length: count }, () => search(cumulative, random() * sum))
  // Popular entities have neighbouring ranks; their names must not be neighbours too.
  return (seq) => (drawn[seq]! * 7919) % entities
}

/** Each order in turn, in an order that is not that of their numbers: every one is touched equally often. */
export function evenly(entities: number): Orders {
  return (seq) => (seq * 7919) % entities
}

export function orderData(order: number, seq: number): OrderData {
  return {
    orderId: orderId(order),
    seq,
    status: STATUSES[seq % STATUSES.length]!,
    amountCents: (seq * 7919) % 100_000,
    currency: CURRENCIES[order % CURRENCIES.length]!,
    customer: `c${order % 50_000}`,
  }
}

export function orderId(order: number): string {
  return `o${order}`
}

export function eventId(seq: number): string {
  return `e${seq}`
}

export function happenedAt(seq: number): string {
  return new Date(BEGIN + seq).toISOString()
}

/** A CloudEvent in structured mode of 230 to 245 bytes. */
export function cloudEvent(order: number, seq: number): BenchEvent {
  const data = orderData(order, seq)
  const value = `{"specversion":"1.0","id":"${eventId(seq)}","source":"/shop","type":"OrderChanged","subject":"${data.orderId}","time":"${happenedAt(seq)}","data":${JSON.stringify(data)}}`
  return { key: data.orderId, value }
}

/** The same facts without an envelope. */
export function bareEvent(order: number, seq: number): BenchEvent {
  const data = orderData(order, seq)
  return { key: data.orderId, value: JSON.stringify({ id: eventId(seq), at: happenedAt(seq), ...data }) }
}

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The first index whose value is above. */
function search(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
