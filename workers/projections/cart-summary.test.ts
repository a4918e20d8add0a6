import fc from 'fast-check'
import { expect, test } from 'vitest'
import { carts } from '../../shared/events/index.ts'
import { event, specify } from '../../shared/projection/spec.ts'
import { cartSummary } from './cart-summary.ts'

const noon = new Date('2026-01-01T12:00:00Z')
const later = new Date('2026-01-01T12:05:00Z')
const shoes = { productId: 'shoes', quantity: 2, unitPriceCents: 5000 }
const socks = { productId: 'socks', quantity: 1, unitPriceCents: 700 }

const added = (cartId: string, item = shoes) => event(carts, 'ItemAddedToCart', cartId, { cartId, ...item }, noon)
const removed = (cartId: string, item = shoes) =>
  event(carts, 'ItemRemovedFromCart', cartId, { cartId, ...item }, later)
const ordered = (cartId: string) =>
  event(
    carts,
    'OrderPlaced',
    cartId,
    { cartId, orderId: 'o1', customerId: 'ann', items: [shoes], totalCents: 10_000 },
    later,
  )

test('items add up, and so do their prices', () =>
  specify(cartSummary)
    .given(added('c1'))
    .when(added('c1', socks))
    .then({ cartId: 'c1', status: 'open', itemCount: 3, totalCents: 10_700n, updatedAt: noon }))

test('a removed item takes its price off the total', () =>
  specify(cartSummary)
    .given(added('c1'), added('c1', socks))
    .when(removed('c1'))
    .then({ cartId: 'c1', status: 'open', itemCount: 1, totalCents: 700n, updatedAt: later }))

test('a cart is gone when its last item is', () => specify(cartSummary).given(added('c1')).when(removed('c1')).then())

test('a cart that was emptied begins anew with the next item', () =>
  specify(cartSummary)
    .given(added('c1'), ordered('c1'), removed('c1'))
    .when(added('c1', socks))
    .then({ cartId: 'c1', status: 'open', itemCount: 1, totalCents: 700n, updatedAt: noon }))

test('a removal without an addition leaves no cart, and no debt for the next item', () =>
  specify(cartSummary)
    .given(removed('c1'))
    .when(added('c1', socks))
    .then({ cartId: 'c1', status: 'open', itemCount: 1, totalCents: 700n, updatedAt: noon }))

test('an order closes the cart and keeps what was in it', () =>
  specify(cartSummary)
    .given(added('c1'))
    .when(ordered('c1'))
    .then({ cartId: 'c1', status: 'ordered', itemCount: 2, totalCents: 10_000n, updatedAt: later }))

test('carts do not mix', () =>
  specify(cartSummary)
    .given(added('c1'), added('c2', socks))
    .when(removed('c1'))
    .then({ cartId: 'c2', status: 'open', itemCount: 1, totalCents: 700n, updatedAt: noon }))

test('money beyond what a double can count stays exact', () => {
  const most = { productId: 'islands', quantity: 1_000_000, unitPriceCents: 1_000_000_000 }
  const cent = { productId: 'cent', quantity: 1, unitPriceCents: 1 }
  specify(cartSummary)
    .given(...Array.from({ length: 10 }, () => added('c1', most)))
    .when(added('c1', cent))
    .then({ cartId: 'c1', status: 'open', itemCount: 10_000_001, totalCents: 10_000_000_000_000_001n, updatedAt: noon })
})

test('any log gives what adding up by hand gives', () => {
  const steps = fc.array(
    fc.record({ cartId: fc.constantFrom('a', 'b', 'c'), quantity: fc.integer({ min: -3, max: 3 }) }),
    { maxLength: 15 },
  )
  fc.assert(
    fc.property(steps, (log) => {
      const counts = new Map<string, number>()
      const events = log.flatMap(({ cartId, quantity }) => {
        if (quantity === 0) return []
        counts.set(cartId, Math.max(0, (counts.get(cartId) ?? 0) + quantity))
        const item = { ...socks, quantity: Math.abs(quantity) }
        return quantity > 0 ? added(cartId, item) : removed(cartId, item)
      })
      const rows = specify(cartSummary)
        .when(...events)
        .rows()
      const expected = [...counts].filter(([, itemCount]) => itemCount > 0)
      expect(new Map(rows.map(({ cartId, itemCount }) => [cartId, itemCount]))).toEqual(new Map(expected))
      for (const { itemCount, totalCents } of rows) expect(totalCents).toBe(BigInt(itemCount) * 700n)
    }),
    { numRuns: 30 },
  )
})
