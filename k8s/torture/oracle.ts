import type { LogRecord } from '../../shared/events/event.ts'

/** What the suite thinks of a record, found out without any of Tidemark's code. */
export interface Entry {
  readonly offset: number
  readonly key: string
  /** Undefined: it can't be read. */
  readonly event: { readonly id: string; readonly type: string; readonly data: Data } | undefined
}

interface Data {
  readonly account: string
  readonly shop: string
  readonly cents: number
  readonly note: string
  readonly passes: boolean
  readonly bytes: number
}

export interface Account {
  readonly cents: bigint
  readonly events: number
  readonly chain: string
  readonly note: string | null
}

/** A row as it should be; `value` null: deleted. */
export interface Folded<Value> {
  readonly value: Value | null
  readonly position: number
  readonly source: string
}

/** What became of the dead letter of a scope at an offset of a partition; undefined if there is none. */
export type Decided = (scope: string, source: string, offset: number) => string | undefined

export interface Expectation<Value> {
  readonly rows: ReadonlyMap<string, Folded<Value>>
  /** By `<source> <scope>`: the offsets that wait, the dead letter first. */
  readonly parked: ReadonlyMap<string, readonly number[]>
}

export function entryOf({ offset, key, value, headers }: LogRecord): Entry {
  const entry = { offset, key: String(key) }
  try {
    const body = JSON.parse(String(value))
    const type = headers.ce_type ? String(headers.ce_type) : body.type
    const id = headers.ce_id ? String(headers.ce_id) : body.id
    const data = headers.ce_type ? body : body.data
    if (type === 'Credited' && typeof data.cents !== 'number') return { ...entry, event: undefined }
    return { ...entry, event: { id, type, data } }
  } catch {
    return { ...entry, event: undefined }
  }
}

/** The two views as they should be after the entries, one plain step after the other. `healed`: can cursed events be applied? */
export function expected(partitions: ReadonlyMap<string, readonly Entry[]>, decided: Decided, healed: boolean) {
  return {
    accounts: fold<Account>(partitions, decided, accountsOf, (row, id, event) => account(row, id, event, healed)),
    shops: fold<{ cents: bigint; events: number }>(
      partitions,
      decided,
      ({ type, data }) => (type === 'Credited' ? [data.shop] : []),
      (shop, _, { data }) => ({
        cents: (shop?.cents ?? 0n) + BigInt(data.cents),
        events: (shop?.events ?? 0) + 1,
      }),
      true,
    ),
  }
}

type Readable = NonNullable<Entry['event']>

function fold<Value>(
  partitions: ReadonlyMap<string, readonly Entry[]>,
  decided: Decided,
  rowsOf: (event: Readable) => readonly string[],
  apply: (row: Value | null, id: string, event: Readable) => Value | null,
  parts = false,
): Expectation<Value> {
  const rows = new Map<string, Folded<Value>>()
  const parked = new Map<string, number[]>()
  for (const [source, entries] of partitions) {
    for (const { offset, key, event } of entries) {
      const keyScope = `${source} key:${Buffer.from(key).toString('base64')}`
      const behind = parked.get(keyScope)
      if (behind) {
        behind.push(offset)
        continue
      }
      if (!event) {
        if (decided(keyScope.slice(source.length + 1), source, offset) !== 'skipped') parked.set(keyScope, [offset])
        continue
      }
      for (const id of rowsOf(event)) {
        const scope = `${source} row:${id}`
        const waiting = parked.get(scope)
        if (waiting) {
          waiting.push(offset)
          continue
        }
        const state = decided(`row:${id}`, source, offset)
        if (state === 'skipped') continue
        const name = parts ? `${id} ${source}` : id
        const after = state === 'parked' ? FAILED : attempt(() => apply(rows.get(name)?.value ?? null, id, event))
        if (after === FAILED) parked.set(scope, [offset])
        else rows.set(name, { value: after, position: offset, source })
      }
    }
  }
  return { rows, parked }
}

const FAILED = Symbol('failed')

function attempt<T>(work: () => T): T | typeof FAILED {
  try {
    return work()
  } catch {
    return FAILED
  }
}

function accountsOf({ type, data }: Readable): readonly string[] {
  return type === 'Audited' ? [data.account, `${data.account}/audit`] : [data.account]
}

function account(row: Account | null, id: string, event: Readable, healed: boolean): Account | null {
  const { type, data } = event
  const old = row ?? { cents: 0n, events: 0, chain: '', note: null }
  const next = { ...old, events: old.events + 1, chain: link(old.chain, event.id) }
  if (type === 'Closed') return null
  if (type === 'Credited') return { ...next, cents: old.cents + BigInt(data.cents) }
  if (type === 'Noted') return { ...next, note: data.note }
  if (type === 'Unnoted') return { ...next, note: null }
  if (type === 'Swelled') throw new Error('a row too large')
  if (type === 'Cursed' && !healed) throw new Error('cursed')
  if (type === 'Audited' && !data.passes && id.endsWith('/audit')) throw new Error('the audit failed')
  return next
}

/** FNV-1a in whole numbers without bounds: another way to the same chain. */
function link(chain: string, id: string): string {
  let state = 0x811c9dc5n
  for (const byte of Buffer.from(`${chain}${id}`)) state = ((state ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn
  return state.toString(16)
}
