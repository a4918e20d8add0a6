import { TidemarkError } from '../errors.ts'
import { deliveries, placed } from './delivery.ts'
import { type Fold, foldOf } from './fold.ts'
import type { Produced } from './produced.ts'
import type { Projection } from './projection.ts'
import { type Witness, witnessed } from './purity.ts'
import { rehearse } from './rehearsal.ts'
import type { AnyRow } from './row.ts'
import type { Row, Table, Written } from './table.ts'
import { shown } from './values.ts'
import { watched } from './watched.ts'

export { event, type Produced, record } from './produced.ts'

/** What a spec says of one projection; nothing runs before `then` or `rows`. */
export interface Spec<T extends Table> {
  /** What happened before. */
  given(...events: readonly Produced[]): Spec<T>
  /** What happens now: to Tidemark the same as `given`, to the reader of the spec not. */
  when(...events: readonly Produced[]): Spec<T>
  /** The view holds exactly these rows, in any order; none means that it is empty. Throws SPEC_FAILED with every difference. */
  then(...rows: readonly Written<T>[]): void
  /** The rows that the view holds, for assertions of your own. */
  rows(): readonly Row<T>[]
}

/**
 * Given some events, when others arrive, then the view holds these rows:
 *
 *     specify(cartSummary).given(event(carts, 'ItemAddedToCart', 'c1', {…})).when(event(…)).then({ cartId: 'c1', … })
 *
 * The projector's own fold runs, decoder and schemas included, and runs several times: all events at once, one by one, and
 * cut and redelivered at random; every batch comes twice, as Kafka may deliver it, and between batches rows are written and
 * read back. All must give the same rows, parts of a `merge` in whatever order. So a projection that counts a redelivered
 * event twice, reads a clock, keeps state outside its rows or changes what it is given fails its first spec: with
 * HANDLER_IMPURE, MERGE_INCONSISTENT or the poison error that the projector would meet. Needs no test runner.
 *
 * `partitions`: of each topic; the topics' own number if not given.
 */
export function specify<T extends Table>(
  projection: Projection<T>,
  { partitions }: { partitions?: number } = {},
): Spec<T> {
  return following([])

  function following(log: readonly Produced[]): Spec<T> {
    const further = (...events: readonly Produced[]) => following([...log, ...events])
    const view = () => viewOf(projection, log, partitions)
    return {
      given: further,
      when: further,
      rows: () => [...view().values()] as unknown as readonly Row<T>[],
      // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of specs; nobody awaits one.
      then: (...rows) => compare(projection, view(), rows),
    }
  }
}

/** The rows after every delivery of the log, which must all be the same. */
function viewOf(
  projection: Projection,
  log: readonly Produced[],
  partitions: number | undefined,
): ReadonlyMap<string, AnyRow> {
  const counts = new Map(projection.topics.map((topic) => [topic.name, partitions ?? topic.partitions]))
  for (const { topic } of log) {
    if (!counts.has(topic))
      throw new TidemarkError(
        'USAGE',
        `the spec has an event of topic ${topic}, but projection ${projection.name} reads ${[...counts.keys()].join(', ')}`,
      )
  }
  const usual = deliveries(placed(log, (topic) => counts.get(topic)!))
  // What a merged row holds may not depend on how many partitions there happen to be.
  const ways = projection.merge
    ? [...usual, { ...deliveries(placed(log, () => 1))[0]!, name: 'from a single partition' }]
    : usual

  return witnessed((witness) => {
    const fold = foldOf(watched(projection, witness))
    const [first, ...others] = ways.map((way) => ({ name: way.name, rows: justly(witness, () => rehearse(fold, way)) }))
    for (const other of others) {
      const [fault] = differences(fold, first!.rows, other.rows)
      if (fault !== undefined) {
        const code = other.name === 'from a single partition' ? 'MERGE_INCONSISTENT' : 'HANDLER_IMPURE'
        throw new TidemarkError(
          code,
          `projection ${projection.name}: the same events delivered ${first!.name} and ${other.name} make different rows: ${fault}`,
        )
      }
    }
    return first!.rows
  })
}

/** An impure deed is the better explanation of whatever failed, and counts even where nothing did. */
function justly<R>(witness: Witness, run: () => R): R {
  let result: R
  try {
    result = run()
  } catch (error) {
    throw witness.found ?? error
  }
  if (witness.found) throw witness.found
  return result
}

function compare(projection: Projection, actual: ReadonlyMap<string, AnyRow>, expected: readonly AnyRow[]): void {
  const fold = foldOf(projection)
  const rows = new Map<string, AnyRow>()
  for (const one of expected) {
    const key = fold.shape.key(one)
    if (rows.has(fold.shape.id(key))) throw new TidemarkError('USAGE', `the spec expects row ${shown(key)} twice`)
    rows.set(fold.shape.id(key), fold.shape.row(one, key))
  }
  const faults = differences(fold, rows, actual)
  if (faults.length > 0)
    throw new TidemarkError(
      'SPEC_FAILED',
      `the view of projection ${projection.name} is not what was expected:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\n`,
    )
}

function differences(
  { shape }: Fold,
  expected: ReadonlyMap<string, AnyRow>,
  actual: ReadonlyMap<string, AnyRow>,
): string[] {
  const faults: string[] = []
  for (const [id, row] of expected) {
    const found = actual.get(id)
    if (found === undefined) faults.push(`row ${shown(shape.key(row))} is missing`)
    else
      for (const column of shape.differences(row, found))
        faults.push(
          `row ${shown(shape.key(row))}: ${column} is ${shown(found[column])}, expected ${shown(row[column])}`,
        )
  }
  for (const [id, row] of actual)
    if (!expected.has(id)) faults.push(`row ${shown(shape.key(row))} is there: ${shown(row)}`)
  return faults
}
