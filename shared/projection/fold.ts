import { TidemarkError } from '../errors.ts'
import type { Event } from '../events/event.ts'
import { positionText } from '../events/position.ts'
import type { Projection } from './projection.ts'
import { type AnyRow, type RowShape, rowShape } from './row.ts'

/** One row an event belongs to. */
export interface RowKey {
  /** The key as text, unique within the view. */
  readonly id: string
  readonly key: AnyRow
}

/** A projection made ready to run: the functions of its author with everything checked that they take and give. */
export interface Fold {
  readonly projection: Projection
  readonly shape: RowShape
  /** Is the event type subscribed to? */
  readonly wanted: (type: string) => boolean
  /** The rows an event belongs to, each once. Throws a `poison` error if the author's `key` fails. */
  keys(event: Event): readonly RowKey[]
  /** The row after the event; null if it is deleted. `row` null: it does not exist yet. Throws a `poison` error if the handler fails. */
  apply(row: AnyRow | null, key: AnyRow, event: Event): AnyRow | null
  /** Joins the parts of a row that several sources feed; there must be one at least. Throws a `poison` error if the author's `merge` fails. */
  merge(parts: readonly AnyRow[], key: AnyRow): AnyRow
}

/** The heart: everything else in Tidemark decides when and where these functions run, and never what they give. */
export function foldOf(projection: Projection): Fold {
  const shape = rowShape(projection.view)

  return {
    projection,
    shape,
    wanted: (type) => Object.hasOwn(projection.on, type),

    keys(event) {
      try {
        const given = projection.key(event)
        if (!Array.isArray(given)) return [rowKey(given)]
        if (given.length < 2) return Array.from(given, rowKey)
        const rows = new Map<string, RowKey>()
        for (const value of given) {
          const row = rowKey(value)
          if (!rows.has(row.id)) rows.set(row.id, row)
        }
        return [...rows.values()]
      } catch (cause) {
        throw failed('KEY_INVALID', 'key', event, cause)
      }
    },

    apply(row, key, event) {
      let part = 'initial'
      try {
        const before = row ? shape.lent(row) : shape.row(projection.initial(key), key)
        part = `on.${event.type}`
        const after = projection.on[event.type]!(before, event)
        if (after === before) return row ?? before
        return after === null ? null : shape.row(after, key)
      } catch (cause) {
        throw failed('HANDLER_FAILED', part, event, cause)
      }
    },

    merge(parts, key) {
      try {
        return parts.reduce((a, b) => shape.row(projection.merge!(a, b), key))
      } catch (cause) {
        throw failure('HANDLER_FAILED', `merge of projection ${projection.name} failed on row ${shape.id(key)}`, cause)
      }
    },
  }

  function rowKey(value: unknown): RowKey {
    const key = shape.key(value)
    return { id: shape.id(key), key }
  }

  function failed(code: Code, part: string, event: Event, cause: unknown): TidemarkError {
    const at = positionText(event.position)
    return failure(code, `${part} of projection ${projection.name} failed on ${event.type} at ${at}`, cause)
  }
}

type Code = 'KEY_INVALID' | 'HANDLER_FAILED'

/** What the row's shape refused keeps its own code, and says which function's doing it was. */
function failure(code: Code, what: string, cause: unknown): TidemarkError {
  if (cause instanceof TidemarkError && cause.kind === 'poison')
    return new TidemarkError(cause.code, `${what}: ${cause.message}`, { remedy: cause.remedy })
  return new TidemarkError(code, what, { cause })
}
