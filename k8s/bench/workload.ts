import { type BenchEvent, bareEvent, cloudEvent, eventId, type Orders, orderId, unique, zipf } from './events.ts'

export type WorkName = 'w1' | 'w2' | 'w2-bare' | 'w6' | 'w6-merge'

/** A log and the view that is made of it. */
export interface Workload {
  readonly name: WorkName
  /** Tidemark's projection. */
  readonly projection: string
  /** What a row of the compared is: an event in W1, else an order. */
  readonly view: 'w1' | 'w2'
  readonly table: string
  readonly topic: string
  readonly events: number
  readonly entities: number
  readonly partitions: number
  /** Processes that share the partitions. */
  readonly workers: number
  /** Projections of the same kind in each process; each is a group and a table of its own. */
  readonly copies: number
  readonly title: string
  event(seq: number): BenchEvent
  /** What the view must hold when all is done: for each row's key the number of the event that made it. Where it is more than that, `verify` judges alone. */
  readonly rows?: () => Map<string, number>
}

export const ENTITIES = 100_000
export const PARTITIONS = 12

/** What W5 changes, one at a time. */
export type Growth = Partial<Pick<Workload, 'entities' | 'partitions' | 'workers' | 'copies'>>

export function workload(
  name: WorkName,
  events: number,
  { entities = ENTITIES, partitions = PARTITIONS, workers = 1, copies = 1 }: Growth = {},
): Workload {
  const view = name === 'w1' ? 'w1' : 'w2'
  const log = name === 'w6' || name === 'w6-merge' ? 'w2' : name
  const orders: Orders = view === 'w1' ? unique : zipf(events, entities)
  const make = name === 'w2-bare' ? bareEvent : cloudEvent
  const rows = () => {
    const last = new Map<string, number>()
    for (let seq = 0; seq < events; seq++) last.set(view === 'w1' ? eventId(seq) : orderId(orders(seq)), seq)
    return last
  }
  return {
    name,
    projection: `bench-${name}`,
    view,
    table: `bench_${name.replaceAll('-', '_')}_v1`,
    events,
    entities,
    partitions,
    workers,
    copies,
    topic: `bench-${log}-${events}${view === 'w1' || entities === ENTITIES ? '' : `-${entities}`}${partitions === PARTITIONS ? '' : `-p${partitions}`}`,
    title: titles[name],
    event: (seq) => make(orders(seq), seq),
    ...(log === name ? { rows } : {}),
  }
}

/** The projections that a process runs: the one, and its copies. */
export function projections({ projection, copies }: Pick<Workload, 'projection' | 'copies'>): readonly string[] {
  return Array.from({ length: copies }, (_, index) => (index === 0 ? projection : `${projection}-${index + 1}`))
}

/** How W5's line calls it. */
export function grown({ entities, partitions, workers, copies }: Workload): string {
  if (copies > 1) return `${copies} projections in a process`
  if (workers > 1) return `${workers} workers`
  return `${entities.toLocaleString('en')} orders${partitions === PARTITIONS ? '' : `, ${partitions} partition${partitions === 1 ? '' : 's'}`}`
}

const titles: Record<WorkName, string> = {
  w1: 'W1 unique rows: each event makes a row of a partition key of its own',
  w2: 'W2 current state: Zipf 0.99 over 100,000 orders, the last state wins',
  'w2-bare': 'W2 from bare JSON: the same facts without the CloudEvents envelope',
  w6: 'W6 many rows per partition: the orders of a customer, twenty on average',
  'w6-merge': 'W6 merged rows: totals per currency, fed by all partitions',
}
