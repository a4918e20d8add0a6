import { defineProjection, defineTopic, table, z } from 'tidemark'

const item = { cartId: z.string(), productId: z.string(), quantity: z.number(), unitPriceCents: z.number() }
const carts = defineTopic({
  name: 'carts',
  partitions: 12,
  events: {
    ItemAddedToCart: z.object(item),
    ItemRemovedFromCart: z.object(item),
    OrderPlaced: z.object({ cartId: z.string() }),
  },
})

/** Version 2 of the built-in `cart-summary`, which counts events as well: made known to workers by a ConfigMap, without an image. */
export const cartSummary = defineProjection({
  name: 'cart-summary',
  version: 2,
  topic: carts,
  view: table('cart_summary', {
    columns: { cartId: 'text', itemCount: 'int', changes: 'int', ordered: 'boolean' },
    partitionKey: ['cartId'],
  }),
  key: ({ data }) => ({ cartId: data.cartId }),
  initial: ({ cartId }) => ({ cartId, itemCount: 0, changes: 0, ordered: false }),
  on: {
    ItemAddedToCart: (cart, { data }) => ({
      ...cart,
      itemCount: cart.itemCount + data.quantity,
      changes: cart.changes + 1,
    }),
    ItemRemovedFromCart: (cart, { data }) => ({
      ...cart,
      itemCount: cart.itemCount - data.quantity,
      changes: cart.changes + 1,
    }),
    OrderPlaced: (cart) => ({ ...cart, ordered: true, changes: cart.changes + 1 }),
  },
})
