import { carts } from '../../shared/events/index.ts'
import { defineProjection, table } from '../../shared/projection/index.ts'

/**
 * What is in a cart right now, and what it would cost. A cart that holds nothing has no row: the last removal deletes it,
 * and so does a removal of more than there is; the next addition begins a new one. Prices are those the events state.
 */
export const cartSummary = defineProjection({
  name: 'cart-summary',
  version: 1,
  topic: carts,
  view: table('cart_summary', {
    columns: { cartId: 'text', status: 'text', itemCount: 'int', totalCents: 'bigint', updatedAt: 'timestamp' },
    partitionKey: ['cartId'],
  }),
  key: ({ data }) => ({ cartId: data.cartId }),
  initial: ({ cartId }) => ({ cartId, status: 'open', itemCount: 0, totalCents: 0n, updatedAt: new Date(0) }),
  on: {
    ItemAddedToCart: (cart, { data, time }) => ({
      ...cart,
      itemCount: cart.itemCount + data.quantity,
      totalCents: cart.totalCents + BigInt(data.quantity) * BigInt(data.unitPriceCents),
      updatedAt: time,
    }),
    ItemRemovedFromCart: (cart, { data, time }) => {
      const itemCount = cart.itemCount - data.quantity
      if (itemCount <= 0) return null
      const totalCents = cart.totalCents - BigInt(data.quantity) * BigInt(data.unitPriceCents)
      return { ...cart, itemCount, totalCents, updatedAt: time }
    },
    OrderPlaced: (cart, { time }) => ({ ...cart, status: 'ordered', updatedAt: time }),
  },
})
