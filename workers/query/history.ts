import type { ReadRow } from '../../shared/engine/ports.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { type Event, parseSource, positionText } from '../../shared/events/index.ts'
import { HttpFault } from '../../shared/http/index.ts'
import type { AnyRow } from '../../shared/projection/row.ts'
import { rowJson } from './json.ts'
import type { OpenView } from './view.ts'

/** An event of an entity's history, as it is answered. */
export interface PastEvent {
  readonly position: string
  readonly type: string
  readonly id: string
  readonly source: string
  readonly time: string
  readonly data: unknown
}

/** What one projection made of the entity's events, or why it could not. */
export interface PastState {
  readonly view: string
  readonly version: number
  readonly rows: readonly Record<string, unknown>[]
  readonly fault?: string
}

/** The projection that keeps every event by entity. */
export const HISTORY = 'entity-history'

/** More are not folded for one request: they would keep the process from answering others. */
export const MOST_EVENTS = 10_000

/** One page of an entity's events in the order of the log. */
export async function pastEvents(history: OpenView, topic: string, entity: string, limit: number, page?: string) {
  const found = await history.reader.list({ topic, entity }, limit, page)
  return { events: found.rows.flatMap((row) => eventOf(row, entity) ?? []), next: found.page ?? null }
}

/** All events that had happened by `at`, by their own time, in the order of the log. Throws 422 if there are too many. */
export async function eventsUntil(history: OpenView, topic: string, entity: string, at: Date) {
  const events: Event[] = []
  let known = 0
  let page: string | undefined
  do {
    const found = await history.reader.list({ topic, entity }, 1_000, page)
    known += found.rows.length
    if (known > MOST_EVENTS)
      throw new HttpFault(
        422,
        'REQUEST_INVALID',
        `${topic} ${entity} has more than ${MOST_EVENTS} events: read them in pages, without at`,
      )
    for (const row of found.rows) {
      const event = eventOf(row, entity)
      if (event && event.time <= at) events.push(event)
    }
    page = found.page
  } while (page !== undefined)
  return { events, known }
}

/**
 * What each view's rows of this entity were after these events: the same fold as the projector's. Views with `merge` are left out,
 * since one entity's events are only a part of their rows.
 */
export function stateAfter(views: readonly OpenView[], topic: string, events: readonly Event[]): readonly PastState[] {
  return views
    .filter(
      ({ projection }) =>
        !projection.merge && projection.name !== HISTORY && projection.topics.some(({ name }) => name === topic),
    )
    .map(({ projection, fold }) => {
      const rows = new Map<string, AnyRow | null>()
      const base = { view: projection.name, version: projection.version }
      try {
        for (const event of events) {
          if (!fold.wanted(event.type)) continue
          for (const { id, key } of fold.keys(event)) rows.set(id, fold.apply(rows.get(id) ?? null, key, event))
        }
      } catch (error) {
        if (!(error instanceof TidemarkError)) throw error
        return {
          ...base,
          rows: [],
          fault: `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ''}`,
        }
      }
      return { ...base, rows: [...rows.values()].filter((row) => row !== null).map((row) => rowJson(fold.shape, row)) }
    })
}

export function eventJson({ position, type, id, source, time, data }: Event): PastEvent {
  return { position: positionText(position), type, id, source, time: time.toISOString(), data }
}

/** An event from the row it was kept in; undefined for a deleted row, which history has none of. */
function eventOf({ parts }: ReadRow, subject: string): Event | undefined {
  const [part] = parts
  const source = part && parseSource(part.source)
  if (!source || !part.row) return undefined
  const { type, id, time, source: said, data, offset } = part.row
  if (!(time instanceof Date)) return undefined
  const kept: unknown = JSON.parse(String(data))
  return {
    type: String(type),
    id: String(id),
    source: String(said),
    subject,
    time,
    data: kept,
    position: { ...source, offset: Number(offset) },
  }
}
