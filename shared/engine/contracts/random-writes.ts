import fc from 'fast-check'
import type { Projection } from '../../projection/projection.ts'
import { type AnyRow, rowShape } from '../../projection/row.ts'
import type { RowWrite } from '../ports.ts'

type Write = Omit<RowWrite, 'id'>

/** Writes as a worker would make them, dealt out badly. */
export interface RandomWrites {
  /** The writes, some several times, in any order, cut into calls. */
  readonly calls: readonly (readonly Write[])[]
  /** What each row must be in the end: as its last write made it. */
  readonly last: readonly Write[]
  /** Keys beside them that nothing was written to. */
  readonly untouched: readonly AnyRow[]
}

/**
 * A log of sets, clears, deletes and re-creations of a few rows, close together in few partitions. `fresh` gives a number
 * for keys that nobody else uses.
 */
export function random(projection: Projection, fresh: () => number): fc.Arbitrary<RandomWrites> {
  const step = fc.record({
    row: fc.integer({ min: 0, max: 3 }),
    source: fc.integer({ min: 0, max: projection.merge ? 2 : 0 }),
    what: fc.constantFrom('set', 'set', 'note', 'clear', 'delete'),
    skip: fc.integer({ min: 1, max: 3 }),
  })
  return fc
    .array(step, { minLength: 1, maxLength: 20 })
    .chain((steps) => {
      const writes = fold(projection, fresh(), steps)
      const dealt = fc.shuffledSubarray([...writes, ...writes], { minLength: writes.length })
      return fc.tuple(fc.constant(writes), dealt, fc.infiniteStream(fc.integer({ min: 1, max: 6 })))
    })
    .map(([writes, dealt, sizes]) => {
      // Every write at least once, whatever was dealt.
      const all = [...dealt, ...writes.filter((write) => !dealt.includes(write))]
      const calls: Write[][] = []
      while (all.length > 0) calls.push(all.splice(0, sizes.next().value))
      const shape = rowShape(projection.view)
      const last = new Map(writes.map((write) => [`${write.source} ${shape.id(write.key)}`, write]))
      return { calls, last: [...last.values()], untouched: [keyOf(projection, fresh(), 0)] }
    })
}

interface Step {
  readonly row: number
  readonly source: number
  readonly what: 'set' | 'note' | 'clear' | 'delete'
  readonly skip: number
}

function fold(projection: Projection, run: number, steps: readonly Step[]): Write[] {
  const shape = rowShape(projection.view)
  const rows = new Map<string, { row: AnyRow | null; ever: Set<string> }>()
  let position = 0
  return steps.map(({ row: number, source: partition, what, skip }) => {
    position += skip
    const key = keyOf(projection, run, number)
    const source = `contract/${partition}`
    const name = `${source} ${shape.id(key)}`
    const { row: before, ever } = rows.get(name) ?? { row: null, ever: new Set<string>() }
    const base = before ?? { ...key, title: 'new' }
    const after =
      what === 'delete'
        ? null
        : shape.row(
            {
              ...base,
              title: `${what} at ${position}`,
              ...(what === 'note' ? { note: `at ${position}` } : what === 'clear' ? { note: null } : {}),
            },
            key,
          )
    for (const [column, cell] of Object.entries(after ?? {})) if (cell !== null) ever.add(column)
    rows.set(name, { row: after, ever })
    const cleared = after === null ? [] : [...ever].filter((column) => after[column] === null)
    return { key, row: after, cleared, position, source }
  })
}

/** Rows 0 and 1 share a partition where the view has a clustering key, and so do 2 and 3. */
function keyOf(projection: Projection, run: number, number: number): AnyRow {
  const pair = `run-${run}-${number >> 1}`
  switch (projection.name) {
    case 'shelves':
      return { room: pair, shelf: run, place: number, part: 'a' }
    case 'merged':
      return { id: pair, place: number }
    default:
      return { id: `${pair}-${number}` }
  }
}
