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

/** Adds cents to a decimal, digit by digit. */
function plus(sum: string, cents: number): string {
  const digits = String(BigInt(sum.replace('.', '')) + BigInt(cents)).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** What every event does to a row. */
function seen<Row extends { readonly events: number; readonly chain: string; readonly seenAt: Date }>(
  row: Row,
  { id, time }: { readonly id: string; readonly time: Date },
): Row {
  return { ...row, events: row.events + 1, chain: linked(row.chain, id), seenAt: time }
}

export const accounts = defineProjection({
  name: `accounts-${WORLD}`,
  version: 1,
  topic: ledger,
  view: table(`accounts_${WORLD}`, {
    columns: {
      id: 'text',
      cents: 'bigint',
      balance: 'decimal',
      latest: 'list<int>',
      events: 'int',
      chain: 'text',
      seenAt: 'timestamp',
      note: 'text?',
    },
    partitionKey: ['id'],
  }),
  key: ({ type, data }) =>
    type === 'Audited' ? [{ id: data.account }, { id: `${data.account}/audit` }] : { id: data.account },
  initial: ({ id }) => ({
    id,
    cents: 0n,
    balance: '0.00',
    latest: [],
    events: 0,
    chain: '',
    seenAt: new Date(0),
  }),
  on: {
    Credited: (row, event) => ({
      ...seen(row, event),
      cents: row.cents + BigInt(event.data.cents),
      balance: plus(row.balance, event.data.cents),
      latest: [...row.latest, event.data.cents].slice(-3),
    }),
    Noted: (row, event) => ({ ...seen(row, event), note: event.data.note }),
    Unnoted: ({ note, ...row }, event) => seen(row, event),
    Closed: () => null,
    Audited: (row, event) => {
      if (!event.data.passes && row.id.endsWith('/audit')) throw new Error('the audit failed')
      return seen(row, event)
    },
    Cursed: (row, event) => {
      if (!HEALED) throw new Error('cursed')
      return seen(row, event)
    },
    Swelled: (row, event) => ({ ...seen(row, event), note: 'x'.repeat(event.data.bytes) }),
  },
})

/** Several rows of a shop lie in one partition of Cassandra. */
export const shops = defineProjection({
  name: `shops-${WORLD}`,
  version: 1,
  topic: ledger,
  view: table(`shops_${WORLD}`, {
    columns: { shop: 'text', till: 'int', cents: 'bigint', events: 'int' },
    partitionKey: ['shop'],
    clusteringKey: { till: 'desc' },
  }),
  key: (event) => (event.type === 'Credited' ? { shop: event.data.shop, till: event.data.cents % 4 } : []),
  initial: ({ shop, till }) => ({ shop, till, cents: 0n, events: 0 }),
  on: { Credited: (row, { data }) => ({ ...row, cents: row.cents + BigInt(data.cents), events: row.events + 1 }) },
  merge: (a, b) => ({ shop: a.shop, till: a.till, cents: a.cents + b.cents, events: a.events + b.events }),
})
