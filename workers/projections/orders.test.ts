import { test } from 'vitest'
import { carts } from '../../shared/events/index.ts'
import { event, specify } from '../../shared/projection/spec.ts'
import { orders } from './orders.ts'

const placedAt = new Date('2026-01-01T12:00:00Z')
const shoes = { productId: 'shoes', quantity: 2, unitPriceCents: 5000 }
const socks = { productId: 'socks', quantity: 1, unitPriceCents: 700 }
const ordered = (cartId: string, orderId: string, items = [shoes]) =>
  event(carts, 'OrderPlaced', cartId, { cartId, orderId, customerId: 'ann', items, totalCents: 10_000 }, placedAt)
const o1 = {
  orderId: 'o1',
  cartId: 'c1',
  customerId: 'ann',
  quantities: new Map([['shoes', 2]]),
  totalCents: 10_000n,
  placedAt,
}

test('an order has a row of its own', () =>
  specify(orders)
    .given(ordered('c1', 'o1'))
    .when(ordered('c1', 'o2'))
    .then(o1, { ...o1, orderId: 'o2' }))

test('what is in a cart is no order', () =>
  specify(orders)
    .when(event(carts, 'ItemAddedToCart', 'c1', { cartId: 'c1', ...shoes }))
    .then())

test('lines of one product are one quantity', () =>
  specify(orders)
    .when(ordered('c1', 'o1', [shoes, socks, shoes]))
    .then({
      ...o1,
      quantities: new Map([
        ['socks', 1],
        ['shoes', 4],
      ]),
    }))
