import { defineProjection, defineTopic, table, z } from 'tidemark'
import { handled } from '../handled.ts'

const OrderChanged = z.object({
  orderId: z.string(),
  seq: z.int(),
  status: z.string(),
  amountCents: z.int(),
  currency: z.string(),
  customer: z.string(),
})

const topic = defineTopic({
  name: process.env.BENCH_TOPIC ?? 'bench',
  partitions: Number(process.env.BENCH_PARTITIONS ?? 12),
  events: { OrderChanged },
})

const columns = {
  orderId: 'text',
  seq: 'int',
  status: 'text',
  amountCents: 'bigint',
  currency: 'text',
  customer: 'text',
  updatedAt: 'timestamp',
} as const

/** W1: each event makes one row, found by the event's id. */
export const eventRows = defineProjection({
  name: 'bench-w1',
  version: 1,
  topic,
  view: table('bench_w1', { columns: { id: 'text', ...columns }, partitionKey: ['id'] }),
  key: ({ id }) => ({ id }),
  initial: ({ id }) => ({
    id,
    orderId: '',
    seq: 0,
    status: '',
    amountCents: 0n,
    currency: '',
    customer: '',
    updatedAt: new Date(0),
  }),
  on: {
    OrderChanged: ({ id }, { data, time }) => {
      handled()
      return { ...data, id, amountCents: BigInt(data.amountCents), updatedAt: time }
    },
  },
})

const state = {
  initial: ({ orderId }: { orderId: string }) => ({
    orderId,
    seq: 0,
    status: '',
    amountCents: 0n,
    currency: '',
    customer: '',
    updatedAt: new Date(0),
  }),
  key: ({ data }: { data: { orderId: string } }) => ({ orderId: data.orderId }),
}

/** Raised for a rebuild beside the version that serves. */
const version = Number(process.env.BENCH_VERSION ?? 1)

/** W2: the current state of each order. */
export const orderState = states('')

/** W5: the same again, as projections of their own. */
export const copies = Array.from({ length: Number(process.env.BENCH_COPIES ?? 1) - 1 }, (_, index) =>
  states(`-${index + 2}`),
)

function states(copy: string) {
  return defineProjection({
    ...state,
    name: `bench-w2${copy}`,
    version,
    topic,
    view: table(`bench_w2${copy.replace('-', '_')}`, { columns, partitionKey: ['orderId'] }),
    on: {
      OrderChanged: (_, { data, time }) => {
        handled()
        return { ...data, amountCents: BigInt(data.amountCents), updatedAt: time }
      },
    },
  })
}

/** The same events without an envelope, read by a function of the topic's. */
const bare = defineTopic({
  name: topic.name,
  partitions: topic.partitions,
  events: { OrderChanged },
  decode: ({ value }) => {
    const { id, at, ...data } = JSON.parse(String(value))
    return { type: 'OrderChanged', id, time: new Date(at), data }
  },
})

/** W2 from them: what CloudEvents cost is the difference. */
export const bareOrderState = defineProjection({
  ...state,
  name: 'bench-w2-bare',
  version: 1,
  topic: bare,
  view: table('bench_w2_bare', { columns, partitionKey: ['orderId'] }),
  on: {
    OrderChanged: (_, { data, time }) => {
      handled()
      return { ...data, amountCents: BigInt(data.amountCents), updatedAt: time }
    },
  },
})

/** W6: the orders of a customer share a Cassandra partition, twenty on average. */
export const customerOrders = defineProjection({
  ...state,
  name: 'bench-w6',
  version: 1,
  topic,
  view: table('bench_w6', {
    columns: { account: 'text', ...columns },
    partitionKey: ['account'],
    clusteringKey: { orderId: 'asc' },
  }),
  key: ({ data }) => ({ account: account(data.customer), orderId: data.orderId }),
  initial: ({ account, orderId }) => ({ ...state.initial({ orderId }), account }),
  on: {
    OrderChanged: ({ account }, { data, time }) => {
      handled()
      return { ...data, account, amountCents: BigInt(data.amountCents), updatedAt: time }
    },
  },
})

/** W6: a few rows that events of all partitions go into, in parts that readers see merged. */
export const currencyTotals = defineProjection({
  name: 'bench-w6-merge',
  version: 1,
  topic,
  view: table('bench_w6_merge', {
    columns: { currency: 'text', status: 'text', changes: 'bigint', totalCents: 'bigint' },
    partitionKey: ['currency'],
    clusteringKey: { status: 'asc' },
  }),
  key: ({ data }) => ({ currency: data.currency, status: data.status }),
  initial: (key) => ({ ...key, changes: 0n, totalCents: 0n }),
  on: {
    OrderChanged: (row, { data }) => {
      handled()
      return { ...row, changes: row.changes + 1n, totalCents: row.totalCents + BigInt(data.amountCents) }
    },
  },
  merge: (a, b) => ({ ...a, changes: a.changes + b.changes, totalCents: a.totalCents + b.totalCents }),
})

/** One of five thousand. */
function account(customer: string): string {
  return `a${Number(customer.slice(1)) % 5_000}`
}
