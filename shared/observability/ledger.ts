import type { Assignment, Flushed, FoldedStep, Outcome } from '../engine/ports.ts'
import { type Source, sourceText } from '../events/position.ts'
import type { PartitionNumbers } from './metrics.ts'

/** The running totals of one worker's partitions in plain numbers: all an event costs here is part of an addition per batch. */
export interface Ledger {
  assigned(assignments: readonly Assignment[]): void
  folded(source: Source, step: FoldedStep): void
  flushed(source: Source, flush: Pick<Flushed, 'trigger' | 'rows' | 'position' | 'next'>): void
  dead(source: Source): void
  parked(source: Source, scopes: number): void
  /** The log's end as an administrator sees it: while a partition is held nothing is fetched, and its lag would stand still. */
  end(source: Source, end: number): void
  numbers(source: Source): PartitionNumbers | undefined
  all(): readonly PartitionNumbers[]
  readonly rebalances: number
  readonly busySeconds: number
}

interface Entry extends Source {
  assigned: boolean
  outcomes: Record<Outcome, number>
  rowsWritten: number
  deadLetters: number
  parkedKeys: number
  /** Everything below is durable in the view. */
  next: number
  position: number | undefined
  end: number
  /** What the newest step saw: its last offset, and the end then. */
  tail: { position: number; end: number }
  producedAt: number
  /** Nothing older than this can be missing from the view: then it was complete, or became this worker's. */
  completeAt: number
}

/** `now` is milliseconds since 1970, since it is compared with when producers say their events were made. */
export function createLedger(now: () => number = Date.now): Ledger {
  const entries = new Map<string, Entry>()
  let rebalances = 0
  let busySeconds = 0
  const lag = ({ end, next }: Entry) => Math.max(0, end - next)

  function entry(source: Source): Entry {
    const name = sourceText(source)
    let found = entries.get(name)
    if (!found) {
      const outcomes = { applied: 0, ignored: 0, duplicate: 0, dead: 0, parked: 0 }
      found = {
        topic: source.topic,
        partition: source.partition,
        assigned: false,
        outcomes,
        rowsWritten: 0,
        deadLetters: 0,
        parkedKeys: 0,
        next: 0,
        position: undefined,
        end: 0,
        tail: { position: -1, end: 0 },
        producedAt: 0,
        completeAt: now(),
      }
      entries.set(name, found)
    }
    return found
  }

  function numbersOf(one: Entry): PartitionNumbers {
    const behind = lag(one)
    const since = Math.max(one.producedAt, one.completeAt)
    return { ...one, lag: behind, ageSeconds: behind === 0 ? 0 : Math.max(0, now() - since) / 1000 }
  }

  return {
    get rebalances() {
      return rebalances
    },
    get busySeconds() {
      return busySeconds
    },

    assigned(assignments) {
      rebalances++
      const names = new Set(assignments.map(({ source }) => sourceText(source)))
      for (const [name, one] of entries) if (!names.has(name)) one.assigned = false
      for (const { source, start, end } of assignments) {
        const one = entry(source)
        if (!one.assigned)
          Object.assign(one, {
            completeAt: now(),
            producedAt: 0,
            parkedKeys: 0,
            position: start > 0 ? start - 1 : undefined,
            next: start,
          })
        Object.assign(one, { assigned: true, end, next: Math.max(one.next, start) })
      }
    },

    folded(source, { outcomes, position, end, producedAt, busy }) {
      const one = entry(source)
      for (const outcome of Object.keys(one.outcomes) as Outcome[]) one.outcomes[outcome] += outcomes[outcome]
      busySeconds += busy
      one.end = Math.max(one.end, end)
      one.tail = { position, end }
      one.producedAt = Math.max(one.producedAt, producedAt)
    },

    flushed(source, { trigger, rows, position, next = position + 1 }) {
      const one = entry(source)
      one.rowsWritten += rows
      if (position >= 0) one.position = Math.max(one.position ?? -1, position)
      one.next = Math.max(one.next, next)
      // The end may lie beyond the last record, where transactions and compaction used up offsets without one.
      if (trigger === 'latency' && position === one.tail.position) one.next = Math.max(one.next, one.tail.end)
      if (lag(one) === 0) one.completeAt = now()
    },

    dead: (source) => void entry(source).deadLetters++,
    parked(source, scopes) {
      entry(source).parkedKeys = scopes
    },

    end(source, end) {
      // Of a partition that somebody else reads nothing is counted here.
      const one = entries.get(sourceText(source))
      if (!one?.assigned) return
      if (lag(one) === 0) one.completeAt = now()
      one.end = Math.max(one.end, end)
    },

    numbers(source) {
      const found = entries.get(sourceText(source))
      return found && numbersOf(found)
    },
    all: () => [...entries.values()].map(numbersOf),
  }
}
