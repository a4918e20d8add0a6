import { expect, test } from 'vitest'
import { carts } from '../../shared/events/index.ts'
import { event, specify } from '../../shared/projection/spec.ts'
import { productPopularity } from './product-popularity.ts'

const shoes = { productId: 'shoes', quantity: 2, unitPriceCents: 5000 }
const socks = { productId: 'socks', quantity: 1, unitPriceCents: 700 }
const added = (cartId: string) => event(carts, 'ItemAddedToCart', cartId, { cartId, ...shoes })
const ordered = (cartId: string, items = [shoes]) =>
  event(carts, 'OrderPlaced', cartId, { cartId, orderId: `order-${cartId}`, customerId: 'ann', items, totalCents: 0 })

test('popularity adds up over carts of different partitions', () =>
  specify(productPopularity)
    .given(added('a'), added('b'), added('c'), added('d'))
    .when(ordered('a'), ordered('b'), ordered('c'))
    .then({ productId: 'shoes', added: 8n, ordered: 6n, revenueCents: 30_000n }))

test('an order counts for each of its products, and for one in two lines with both', () =>
  specify(productPopularity)
    .when(ordered('a', [shoes, socks, shoes]))
    .then(
      { productId: 'shoes', added: 0n, ordered: 4n, revenueCents: 20_000n },
      { productId: 'socks', added: 0n, ordered: 1n, revenueCents: 700n },
    ))

test('without merge the row has two writers, which is refused', () => {
  const withoutMerge = { ...productPopularity, merge: undefined }
  expect(() => specify(withoutMerge).when(added('a'), added('b'), added('c')).rows()).toThrow(
    expect.objectContaining({ code: 'ROW_TWO_SOURCES' }),
  )
})
