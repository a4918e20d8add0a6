import { type CloudEvent, encodeBinary, encodeStructured, type OutgoingRecord } from '../../shared/events/encode.ts'
import type { Random } from './random.ts'

const ACCOUNTS = 400
const SHOPS = 25

/** The kinds of events that can never succeed, or only after a repair. */
export const POISON = ['undecodable', 'schema', 'handler', 'audit', 'large'] as const
export type Poison = (typeof POISON)[number]

/** An account, the first ones more often than the others. */
export function account(random: Random): string {
  const among = random.one([3, 40, ACCOUNTS])
  return `a${random.below(among)}`
}

/** Each event happens a millisecond after the one before. */
const EPOCH = Date.UTC(2026, 0, 1)
let published = 0

/** An event that every handler likes. */
export function sound(random: Random): OutgoingRecord {
  const id = account(random)
  const kind = random.below(20)
  const binary = random.below(2) === 1
  if (kind < 13) return encoded('Credited', id, { shop: `s${random.below(SHOPS)}`, cents: random.below(1_000) }, binary)
  if (kind < 15) return encoded('Noted', id, { note: `n${random.below(100)}` }, binary)
  if (kind < 17) return encoded('Unnoted', id, {}, binary)
  if (kind < 19) return encoded('Audited', id, { passes: true }, binary)
  return encoded('Closed', id, {}, binary)
}

/** An event of a row that is never poisoned. */
export function marker(id: string): OutgoingRecord {
  return encoded('Noted', id, { note: 'm' }, published % 2 === 0)
}

export function poison(kind: Poison, id: string, random: Random): OutgoingRecord {
  const binary = random.below(2) === 1
  if (kind === 'undecodable') return { key: id, value: '{"specversion":', headers: {} }
  if (kind === 'schema') return encoded('Credited', id, { shop: 's0', cents: 'many' }, binary)
  if (kind === 'handler') return encoded('Cursed', id, {}, binary)
  if (kind === 'audit') return encoded('Audited', id, { passes: false }, binary)
  return encoded('Swelled', id, { bytes: 3_000_000 }, binary)
}

function encoded(type: string, id: string, data: Record<string, unknown>, binary: boolean): OutgoingRecord {
  const event: CloudEvent = {
    specversion: '1.0',
    id: `e${published}`,
    source: 'torture',
    type,
    subject: id,
    time: new Date(EPOCH + published++).toISOString(),
    data: { account: id, ...data },
  }
  return binary ? encodeBinary(event) : encodeStructured(event)
}
