import { KEYLESS, keyScope, rowScope, type Scope } from '../engine/index.ts'
import type { LogRecord } from '../events/event.ts'
import { positionText, type Source, sourceText } from '../events/position.ts'

/** What a row of the counters should be. */
export interface Expected {
  readonly row: { readonly id: string; readonly sum: bigint; readonly log: string; readonly note: string | null } | null
  readonly position: number
  readonly source: string
}

/** What has become of an event in a scope: waits, was applied by a retry, was left out; undefined if it is no dead letter. */
export type Decided = (scope: Scope, at: string) => 'parked' | 'applied' | 'skipped' | undefined

/**
 * The counters folded in the plainest way: no definition, no decoder, no batches, one event after the other over a Map. What
 * throws stops its row until somebody has decided about it: `parked` lists, by scope, the positions that wait, the poison event
 * first; `alone` those without a key, behind which nothing waits.
 */
export function plainFold(
  log: readonly { readonly source: Source; readonly records: readonly LogRecord[] }[],
  dislike: string | undefined,
  decided: Decided = () => undefined,
) {
  const rows = new Map<string, Expected>()
  const parked = new Map<Scope, string[]>()
  const alone: string[] = []
  for (const { source, records } of log) {
    for (const record of records) {
      const at = positionText({ ...source, offset: record.offset })
      const key = keyScope(record.key)
      if (key !== KEYLESS && parked.has(key)) {
        parked.get(key)!.push(at)
        continue
      }
      const event = read(record)
      if (!event) {
        if (decided(key, at) === 'skipped') continue
        if (key === KEYLESS) alone.push(at)
        else parked.set(key, [at])
        continue
      }
      for (const id of touched(event)) {
        const scope = rowScope(id)
        if (parked.has(scope)) {
          parked.get(scope)!.push(at)
          continue
        }
        const decision = decided(scope, at)
        const poison = event.type === 'Noted' && event.data.note === dislike
        if (decision === 'skipped') continue
        if (decision === 'parked' || (poison && decision === undefined)) parked.set(scope, [at])
        else rows.set(id, { row: after(event, id, rows.get(id)), position: record.offset, source: sourceText(source) })
      }
    }
  }
  return { rows, parked, alone }
}

/** The rows an event goes into; undefined if it can't be read. */
export function rowsOf(record: LogRecord): readonly string[] | undefined {
  const event = read(record)
  return event && touched(event)
}

interface Operation {
  readonly id: string
  readonly type: string
  readonly data: { readonly id: string; readonly by: number; readonly note: string; readonly to: string }
}

function touched({ type, data }: Operation): readonly string[] {
  return type === 'Copied' ? [data.id, `${data.id}>${data.to}`] : [data.id]
}

function after({ id, type, data }: Operation, row: string, before: Expected | undefined): Expected['row'] {
  const old = before?.row ?? { id: row, sum: 0n, log: '', note: null }
  const log = `${old.log.slice(-80)}|${id}`
  if (type === 'Added') return { ...old, sum: old.sum + BigInt(data.by), log }
  if (type === 'Copied') return { ...old, sum: old.sum + 1n, log }
  if (type === 'NoteCleared') return { ...old, note: null, log }
  return type === 'Removed' ? null : { ...old, note: data.note, log }
}

function read({ headers, value }: LogRecord): Operation | undefined {
  try {
    const body = JSON.parse(String(value))
    return headers.ce_id ? { id: String(headers.ce_id), type: String(headers.ce_type), data: body } : body
  } catch {
    return undefined
  }
}
