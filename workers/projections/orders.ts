import { carts } from '../../shared/events/index.ts'
import { defineProjection, table } from '../../shared/projection/index.ts'

/** Every order by its number, as it was placed. */
export const orders = defineProjection({
  name: 'orders',
  version: 1,
  topic: carts,
  view: table('orders', {
    columns: {
      orderId: 'text',
      cartId: 'text',
      customerId: 'text',
      quantities: 'map<text,int>',
      totalCents: 'bigint',
      placedAt: 'timestamp',
    },
    partitionKey: ['orderId'],
  }),
  key: ({ type, data }) => (type === 'OrderPlaced' ? { orderId: data.orderId } : []),
  initial: ({ orderId }) => ({
    orderId,
    cartId: '',
    customerId: '',
    quantities: new Map(),
    totalCents: 0n,
    placedAt: new Date(0),
  }),
  on: {
    OrderPlaced: (order, { data, time }) => {
      const quantities = new Map<string, number>()
      for (const { productId, quantity } of data.items) {
        quantities.set(productId, (quantities.get(productId) ?? 0) + quantity)
      }
      return {
        ...order,
        cartId: data.cartId,
        customerId: data.customerId,
        quantities,
        totalCents: BigInt(data.totalCents),
        placedAt: time,
      }
    },
  },
})
