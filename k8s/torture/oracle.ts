import type { LogRecord } from '../../shared/events/event.ts'
import { contentOf } from './content.ts'
import { type Entry, Fold } from './fold.ts'

/** What the suite thinks of a record, found out without any of Tidemark's code. */
export interface Happened {
  readonly id: string
  readonly type: string
  /** Milliseconds since 1970. */
  readonly at: number
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
  /** The same as a decimal of two places. */
  readonly balance: string
  /** The last three sums. */
  readonly latest: readonly number[]
  /** Milliseconds since 1970. */
  readonly seenAt: number
  readonly events: number
  readonly chain: string
  readonly note: string | null
}

export interface Shop {
  readonly cents: bigint
  readonly events: number
}

export function entryOf({ offset, key, value, headers, timestamp }: LogRecord): Entry<Happened> {
  const entry = { offset, key: String(key), content: contentOf(key, value, headers), timestamp }
  try {
    const body = JSON.parse(String(value))
    const binary = headers.ce_type !== undefined
    const { type, id, time } = binary ? { type: headers.ce_type, id: headers.ce_id, time: headers.ce_time } : body
    const data = binary ? body : body.data
    const event = { id: String(id), type: String(type), at: Date.parse(String(time)), data }
    if (event.type === 'Credited' && typeof data.cents !== 'number')
      return { ...entry, event: undefined, fault: 'EVENT_SCHEMA_VIOLATION' }
    return { ...entry, event }
  } catch {
    return { ...entry, event: undefined, fault: 'EVENT_NOT_JSON' }
  }
}

/** The accounts as they should be. `healed`: can cursed events be applied? */
export function accountsFold(healed: () => boolean): Fold<Happened, Account> {
  return new Fold({
    rowsOf: ({ type, data }) => (type === 'Audited' ? [data.account, `${data.account}/audit`] : [data.account]),
    apply: (row, id, event) => account(row, id, event, healed()),
    code: ({ type }) => (type === 'Swelled' ? 'ROW_TOO_LARGE' : 'HANDLER_FAILED'),
    curable: ({ type }) => type === 'Cursed',
    parts: false,
  })
}

export function shopsFold(): Fold<Happened, Shop> {
  return new Fold({
    rowsOf: ({ type, data }) => (type === 'Credited' ? [`${data.shop}/${data.cents % 4}`] : []),
    apply: (shop, _, { data }) => ({
      cents: (shop?.cents ?? 0n) + BigInt(data.cents),
      events: (shop?.events ?? 0) + 1,
    }),
    code: () => 'HANDLER_FAILED',
    curable: () => false,
    parts: true,
  })
}

function account(row: Account | null, id: string, event: Happened, healed: boolean): Account | null {
  const { type, data, at } = event
  const old = row ?? { cents: 0n, balance: '0.00', latest: [], events: 0, chain: '', seenAt: 0, note: null }
  if (type === 'Closed') return null
  if (type === 'Swelled') throw new Error('a row too large')
  if (type === 'Cursed' && !healed) throw new Error('cursed')
  if (type === 'Audited' && !data.passes && id.endsWith('/audit')) throw new Error('the audit failed')
  const next = { ...old, events: old.events + 1, chain: link(old.chain, event.id), seenAt: at }
  if (type === 'Credited') {
    const cents = old.cents + BigInt(data.cents)
    const balance = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`
    return { ...next, cents, balance, latest: old.latest.concat(data.cents).slice(-3) }
  }
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
