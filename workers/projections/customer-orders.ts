import { carts } from '../../shared/events/index.ts'
import { defineProjection, table } from '../../shared/projection/index.ts'

/** A customer's orders, newest first. */
export const customerOrders = defineProjection({
  name: 'customer-orders',
  version: 1,
  topic: carts,
  view: table('customer_orders', {
    columns: { customerId: 'text', placedAt: 'timestamp', orderId: 'text', itemCount: 'int', totalCents: 'bigint' },
    partitionKey: ['customerId'],
    clusteringKey: { placedAt: 'desc', orderId: 'asc' },
  }),
  key: ({ type, data, time }) =>
    type === 'OrderPlaced' ? { customerId: data.customerId, placedAt: time, orderId: data.orderId } : [],
  initial: (key) => ({ ...key, itemCount: 0, totalCents: 0n }),
  on: {
    OrderPlaced: (order, { data }) => ({
      ...order,
      itemCount: data.items.reduce((sum, { quantity }) => sum + quantity, 0),
      totalCents: BigInt(data.totalCents),
    }),
  },
})
