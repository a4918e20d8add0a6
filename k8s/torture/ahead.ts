import type { Entry, Fold, Folded } from './fold.ts'
import type { StoredLetter } from './stored.ts'

/** A view in the midst of everything, in the order in which it was looked at. */
export interface Glimpse {
  /** By partition: what the group goes on from. Looked at first. */
  readonly committed: ReadonlyMap<number, number>
  /** The dead letters before and after the rows were read: a scope may be parked or freed in between. */
  readonly letters: readonly StoredLetter[]
  readonly rows: ReadonlyMap<string, Folded<unknown>>
}

/**
 * DESIGN §1.2: which rows are behind what was committed before they were read, each a sentence. What waits behind a dead letter that is
 * open is not written, and what was skipped never is; of all else the table must know.
 */
export function commitsAhead<Event>(
  name: string,
  fold: Pick<Fold<Event, unknown>, 'rowsOf'>,
  log: ReadonlyMap<string, readonly Entry<Event>[]>,
  { committed, letters, rows }: Glimpse,
): readonly string[] {
  const waits = new Set<string>()
  const skipped = new Set<string>()
  for (const { source, scope, offset, state } of letters) {
    if (state === 'parked') waits.add(`${source} ${scope}`)
    if (state === 'skipped') skipped.add(`${source} ${scope} ${offset}`)
  }
  const differences: string[] = []
  for (const [source, entries] of log) {
    const next = committed.get(Number(source.split('/')[1])) ?? 0
    const last = new Map<string, number>()
    for (const { offset, key, event } of entries) {
      if (offset >= next) break
      if (event === undefined || waits.has(`${source} key:${Buffer.from(key).toString('base64')}`)) continue
      for (const { scope, row } of fold.rowsOf(source, event))
        if (!waits.has(`${source} ${scope}`) && !skipped.has(`${source} ${scope} ${offset}`)) last.set(row, offset)
    }
    for (const [row, offset] of last) {
      const position = rows.get(row)?.position ?? -1
      if (position < offset)
        differences.push(
          `${name}: ${source} is committed up to ${next}, but ${row} stands at ${position}, before ${offset}`,
        )
    }
  }
  return differences
}
