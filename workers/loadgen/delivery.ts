import type { Publisher } from '../../shared/engine/ports.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { encodeBinary, encodeStructured, type OutgoingRecord } from '../../shared/events/index.ts'
import type { ShopEvent } from './shop.ts'

/** Brings events to where they belong; resolves when all are durable. Events of one entity keep their order. */
export type Delivery = (events: readonly ShopEvent[]) => Promise<void>

/** Repeats work that the world kept from succeeding; gives up as its owner decides. */
export type Persist = (work: () => Promise<void>) => Promise<void>

/** `mixed` alternates, so that readers meet both. */
export type Mode = 'structured' | 'binary' | 'mixed'

/** Straight into Kafka. What is repeated after a failure may be in the log twice, as with any producer. */
export function kafkaDelivery(publisher: Pick<Publisher, 'publish'>, mode: Mode, persist: Persist): Delivery {
  let counted = 0
  const encode = ({ event }: ShopEvent): OutgoingRecord =>
    mode === 'binary' || (mode === 'mixed' && counted++ % 2 === 0) ? encodeBinary(event) : encodeStructured(event)

  return async (events) => {
    for (const topic of ['carts', 'inventory'] as const) {
      const records = events.filter((event) => event.topic === topic).map(encode)
      if (records.length > 0) await persist(() => publisher.publish(topic, records).then(() => undefined))
    }
  }
}

/** Requests under way at once; an entity's events always go the same way, one request after the other. */
const LANES = 4
const EVENTS_PER_REQUEST = 50
const PATIENCE_MS = 10_000

/** Through the gateway at `url`, which drops what is repeated after a lost answer. */
export function gatewayDelivery(url: string, persist: Persist): Delivery {
  const address = new URL('/events', url)

  async function post(events: readonly ShopEvent[]): Promise<void> {
    const body = JSON.stringify(events.map(({ event }) => event))
    const headers = { 'content-type': 'application/cloudevents-batch+json' }
    let response: Response
    try {
      response = await fetch(address, { method: 'POST', headers, body, signal: AbortSignal.timeout(PATIENCE_MS) })
    } catch (cause) {
      throw new TidemarkError('GATEWAY_UNAVAILABLE', `the gateway at ${url} did not answer`, { cause })
    }
    const answer = await response.text()
    if (response.status === 202) return
    const what = `the gateway at ${url} answered ${response.status}: ${answer.slice(0, 500)}`
    throw new TidemarkError(
      response.status === 429 || response.status >= 500 ? 'GATEWAY_UNAVAILABLE' : 'EVENTS_REFUSED',
      what,
    )
  }

  return async (events) => {
    const lanes = Map.groupBy(events, ({ event }) => lane(event.subject))
    const ways = [...lanes.values()].map(async (some) => {
      for (let from = 0; from < some.length; from += EVENTS_PER_REQUEST)
        await persist(() => post(some.slice(from, from + EVENTS_PER_REQUEST)))
    })
    // All are waited for: an event that is still under way must not be overtaken by a later one of its entity.
    const failed = (await Promise.allSettled(ways)).find((way) => way.status === 'rejected')
    if (failed) throw failed.reason
  }
}

function lane(subject: string): number {
  let sum = 0
  for (let index = 0; index < subject.length; index++) sum = (sum * 31 + subject.charCodeAt(index)) >>> 0
  return sum % LANES
}
