import type { LogRecord } from '../../shared/events/event.ts'
import { type Entry, Fold } from './fold.ts'

/** What the suite thinks of a record, found out without any of Tidemark's code. */
export interface Happened {
  readonly id: string
  readonly type: string
  readonly data: Data
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

export interface Shop {
  readonly cents: bigint
  readonly events: number
}

export function entryOf({ offset, key, value, headers }: LogRecord): Entry<Happened> {
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

/** The accounts as they should be. `healed`: can cursed events be applied? */
export function accountsFold(healed: () => boolean): Fold<Happened, Account> {
  return new Fold({
    rowsOf: ({ type, data }) => (type === 'Audited' ? [data.account, `${data.account}/audit`] : [data.account]),
    apply: (row, id, event) => account(row, id, event, healed()),
    curable: ({ type }) => type === 'Cursed',
    parts: false,
  })
}

export function shopsFold(): Fold<Happened, Shop> {
  return new Fold({
    rowsOf: ({ type, data }) => (type === 'Credited' ? [data.shop] : []),
    apply: (shop, _, { data }) => ({
      cents: (shop?.cents ?? 0n) + BigInt(data.cents),
      events: (shop?.events ?? 0) + 1,
    }),
    curable: () => false,
    parts: true,
  })
}

function account(row: Account | null, id: string, event: Happened, healed: boolean): Account | null {
  const { type, data } = event
  const old = row ?? { cents: 0n, events: 0, chain: '', note: null }
  if (type === 'Closed') return null
  if (type === 'Swelled') throw new Error('a row too large')
  if (type === 'Cursed' && !healed) throw new Error('cursed')
  if (type === 'Audited' && !data.passes && id.endsWith('/audit')) throw new Error('the audit failed')
  const next = { ...old, events: old.events + 1, chain: link(old.chain, event.id) }
  if (type === 'Credited') return { ...next, cents: old.cents + BigInt(data.cents) }
  if (type === 'Noted') return { ...next, note: data.note }
  if (type === 'Unnoted') return { ...next, note: null }
  return next
}

/** FNV-1a in whole numbers without bounds: another way to the same chain. */
function link(chain: string, id: string): string {
  let state = 0x811c9dc5n
  for (const byte of Buffer.from(`${chain}${id}`)) state = ((state ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn
  return state.toString(16)
}
