import { inventory } from '../../shared/events/index.ts'
import { defineProjection, table } from '../../shared/projection/index.ts'

/**
 * What the warehouses hold of each product, and its price once it has one. A quantity below zero is what the events say:
 * more was taken out than was ever received, and hiding it would hide the mistake.
 */
export const stock = defineProjection({
  name: 'stock',
  version: 1,
  topic: inventory,
  view: table('stock', {
    columns: { productId: 'text', quantity: 'bigint', unitPriceCents: 'bigint?', updatedAt: 'timestamp' },
    partitionKey: ['productId'],
  }),
  key: ({ data }) => ({ productId: data.productId }),
  initial: ({ productId }) => ({ productId, quantity: 0n, updatedAt: new Date(0) }),
  on: {
    StockReceived: (product, { data, time }) => ({
      ...product,
      quantity: product.quantity + BigInt(data.quantity),
      updatedAt: time,
    }),
    StockAdjusted: (product, { data, time }) => ({
      ...product,
      quantity: product.quantity + BigInt(data.delta),
      updatedAt: time,
    }),
    PriceChanged: (product, { data, time }) => ({
      ...product,
      unitPriceCents: BigInt(data.unitPriceCents),
      updatedAt: time,
    }),
  },
})
