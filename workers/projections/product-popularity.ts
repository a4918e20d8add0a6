import { carts } from '../../shared/events/index.ts'
import { defineProjection, table } from '../../shared/projection/index.ts'

/**
 * How often each product was put into carts and ordered. Its events have the carts' keys, so they come from every partition:
 * each keeps its own part of the row, and readers see the sums.
 */
export const productPopularity = defineProjection({
  name: 'product-popularity',
  version: 1,
  topic: carts,
  view: table('product_popularity', {
    columns: { productId: 'text', added: 'bigint', ordered: 'bigint', revenueCents: 'bigint' },
    partitionKey: ['productId'],
  }),
  key: ({ type, data }) =>
    type === 'OrderPlaced' ? data.items.map(({ productId }) => ({ productId })) : { productId: data.productId },
  initial: ({ productId }) => ({ productId, added: 0n, ordered: 0n, revenueCents: 0n }),
  on: {
    ItemAddedToCart: (product, { data }) => ({ ...product, added: product.added + BigInt(data.quantity) }),
    OrderPlaced: (product, { data }) => {
      const lines = data.items.filter(({ productId }) => productId === product.productId)
      return {
        ...product,
        ordered: lines.reduce((sum, line) => sum + BigInt(line.quantity), product.ordered),
        revenueCents: lines.reduce(
          (sum, line) => sum + BigInt(line.quantity) * BigInt(line.unitPriceCents),
          product.revenueCents,
        ),
      }
    },
  },
  merge: (a, b) => ({
    productId: a.productId,
    added: a.added + b.added,
    ordered: a.ordered + b.ordered,
    revenueCents: a.revenueCents + b.revenueCents,
  }),
})
