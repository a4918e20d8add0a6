import { TidemarkError } from '../errors.ts'
import { decoder } from '../events/decode.ts'
import { sourceText } from '../events/position.ts'
import type { Delivery, Placed } from './delivery.ts'
import type { Fold } from './fold.ts'
import { copy } from './likeness.ts'
import type { AnyRow } from './row.ts'
import { framed, shown } from './values.ts'

interface Part {
  readonly id: string
  readonly key: AnyRow
  readonly row: AnyRow | null
  readonly position: number
  readonly source: string
}

/**
 * The rows a view holds after a delivery, by id. Folds as the projector does, with the view forgotten and read back after
 * every batch. Throws what the fold throws, ROW_TWO_SOURCES, and MERGE_INCONSISTENT.
 */
export function rehearse(fold: Fold, { batches }: Delivery): ReadonlyMap<string, AnyRow> {
  const { topics, merge } = fold.projection
  const decoders = new Map(topics.map((topic) => [topic.name, decoder(topic, fold.wanted)]))
  let parts = new Map<string, Part>()
  for (const batch of batches) {
    for (const placed of batch) take(placed)
    parts = new Map(
      [...parts].map(([id, part]) => [
        id,
        { ...part, row: part.row && fold.shape.row(fromCassandra(part.row), part.key) },
      ]),
    )
  }
  const live = [...parts.values()].flatMap(({ id, key, row }) => (row === null ? [] : [{ id, key, row }]))
  if (!merge) return new Map(live.map(({ id, row }) => [id, row]))
  return new Map(
    [...Map.groupBy(live, ({ id }) => id)].map(([id, rows]) => [
      id,
      mergedAnyhow(
        fold,
        rows.map(({ row }) => row),
        rows[0]!.key,
      ),
    ]),
  )

  function take({ source, record }: Placed): void {
    const event = decoders.get(source.topic)!(record, source.partition)
    if (event === null) return
    const from = sourceText(source)
    for (const { id, key } of fold.keys(event)) {
      const partId = merge ? framed([id, from]) : id
      const before = parts.get(partId)
      if (before && before.source !== from) {
        throw new TidemarkError(
          'ROW_TWO_SOURCES',
          `projection ${fold.projection.name}: row ${shown(key)} was written from ${before.source} and now gets an event from ${from}`,
        )
      }
      if (before && record.offset <= before.position) continue
      parts.set(partId, {
        id,
        key,
        row: fold.apply(before?.row ?? null, key, event),
        position: record.offset,
        source: from,
      })
    }
  }
}

/** A row with nothing of it shared, and bytes in the class that drivers return them in. */
function fromCassandra(row: AnyRow): AnyRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [name, cell instanceof Uint8Array ? Buffer.from(cell) : copy(cell)]),
  )
}

/** Merges parts in several orders and groupings, which must all come to the same. */
function mergedAnyhow(fold: Fold, parts: readonly AnyRow[], key: AnyRow): AnyRow {
  const row = fold.merge(parts, key)
  const [first, ...rest] = parts
  const others: readonly (readonly [string, AnyRow])[] =
    rest.length === 0
      ? []
      : [
          ['in reverse', fold.merge(parts.toReversed(), key)],
          ['from the second part on', fold.merge([...rest, first!], key)],
          ['the later parts first', fold.merge([first!, fold.merge(rest, key)], key)],
        ]
  for (const [how, other] of others) {
    const [column] = fold.shape.differences(row, other)
    if (column !== undefined) {
      throw new TidemarkError(
        'MERGE_INCONSISTENT',
        `projection ${fold.projection.name}: merged ${how}, row ${shown(key)} has ${column} ${shown(other[column])} instead of ${shown(row[column])}`,
      )
    }
  }
  return row
}
