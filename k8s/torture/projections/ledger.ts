import { defineProjection, defineTopic, table, z } from 'tidemark'

/** Each world of the torture suite has its own topic and views, told apart by this. */
const WORLD = process.env.TORTURE_WORLD ?? 'w0'
/** Has the handler of curable events been repaired? */
const HEALED = process.env.TORTURE_HEALED === '1'

export const ledger = defineTopic({
  name: `ledger-${WORLD}`,
  partitions: 6,
  events: {
    Credited: z.object({ account: z.string(), shop: z.string(), cents: z.int() }),
    Noted: z.object({ account: z.string(), note: z.string() }),
    Unnoted: z.object({ account: z.string() }),
    Closed: z.object({ account: z.string() }),
    Audited: z.object({ account: z.string(), passes: z.boolean() }),
    Cursed: z.object({ account: z.string() }),
    Swelled: z.object({ account: z.string(), bytes: z.int() }),
  },
})

/** FNV-1a over what was there and what comes: an event that is lost, doubled or out of order changes all that follow. */
function linked(chain: string, id: string): string {
  let state = 0x811c9dc5
  for (const letter of `${chain}${id}`) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193)
  return (state >>> 0).toString(16)
}

export const accounts = defineProjection({
  name: `accounts-${WORLD}`,
  version: 1,
  topic: ledger,
  view: table(`accounts_${WORLD}`, {
    columns: { id: 'text', cents: 'bigint', events: 'int', chain: 'text', note: 'text?' },
    partitionKey: ['id'],
  }),
  key: ({ type, data }) =>
    type === 'Audited' ? [{ id: data.account }, { id: `${data.account}/audit` }] : { id: data.account },
  initial: ({ id }) => ({ id, cents: 0n, events: 0, chain: '' }),
  on: {
    Credited: (row, { data, id }) => ({
      ...row,
      cents: row.cents + BigInt(data.cents),
      events: row.events + 1,
      chain: linked(row.chain, id),
    }),
    Noted: (row, { data, id }) => ({ ...row, note: data.note, events: row.events + 1, chain: linked(row.chain, id) }),
    Unnoted: ({ note, ...row }, { id }) => ({ ...row, events: row.events + 1, chain: linked(row.chain, id) }),
    Closed: () => null,
    Audited: (row, { data, id }) => {
      if (!data.passes && row.id.endsWith('/audit')) throw new Error('the audit failed')
      return { ...row, events: row.events + 1, chain: linked(row.chain, id) }
    },
    Cursed: (row, { id }) => {
      if (!HEALED) throw new Error('cursed')
      return { ...row, events: row.events + 1, chain: linked(row.chain, id) }
    },
    Swelled: (row, { data, id }) => ({
      ...row,
      note: 'x'.repeat(data.bytes),
      events: row.events + 1,
      chain: linked(row.chain, id),
    }),
  },
})

export const shops = defineProjection({
  name: `shops-${WORLD}`,
  version: 1,
  topic: ledger,
  view: table(`shops_${WORLD}`, {
    columns: { shop: 'text', cents: 'bigint', events: 'int' },
    partitionKey: ['shop'],
  }),
  key: (event) => (event.type === 'Credited' ? { shop: event.data.shop } : []),
  initial: ({ shop }) => ({ shop, cents: 0n, events: 0 }),
  on: { Credited: (row, { data }) => ({ ...row, cents: row.cents + BigInt(data.cents), events: row.events + 1 }) },
  merge: (a, b) => ({ shop: a.shop, cents: a.cents + b.cents, events: a.events + b.events }),
})
