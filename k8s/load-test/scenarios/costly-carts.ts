import { defineProjection, defineTopic, table, z } from 'tidemark'

const carts = defineTopic({
  name: 'carts',
  partitions: 12,
  events: {
    ItemAddedToCart: z.object({ cartId: z.string() }),
    ItemRemovedFromCart: z.object({ cartId: z.string() }),
    OrderPlaced: z.object({ cartId: z.string() }),
  },
})

/** Turns of a loop, about half a millisecond: what an expensive handler costs, so that few events are a load. */
const TURNS = 300_000

function mixed(seed: number): number {
  let value = seed | 1
  for (let turn = 0; turn < TURNS; turn++) value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) | 1
  return value
}

type Row = { cartId: string; changes: number; digest: number }
const changed = (row: Row): Row => ({ ...row, changes: row.changes + 1, digest: mixed(row.digest) })

export const costlyCarts = defineProjection({
  name: 'costly-carts',
  version: 1,
  topic: carts,
  view: table('costly_carts', {
    columns: { cartId: 'text', changes: 'int', digest: 'int' },
    partitionKey: ['cartId'],
  }),
  key: ({ data }) => ({ cartId: data.cartId }),
  initial: ({ cartId }) => ({ cartId, changes: 0, digest: 1 }),
  on: { ItemAddedToCart: changed, ItemRemovedFromCart: changed, OrderPlaced: changed },
})
