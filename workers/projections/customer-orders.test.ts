import { test } from 'vitest'
import { carts } from '../../shared/events/index.ts'
import { event, specify } from '../../shared/projection/spec.ts'
import { customerOrders } from './customer-orders.ts'

const morning = new Date('2026-01-01T08:00:00Z')
const evening = new Date('2026-01-01T20:00:00Z')
const items = [
  { productId: 'shoes', quantity: 2, unitPriceCents: 5000 },
  { productId: 'socks', quantity: 3, unitPriceCents: 700 },
]
const ordered = (cartId: string, customerId: string, placedAt: Date) =>
  event(
    carts,
    'OrderPlaced',
    cartId,
    { cartId, orderId: `order-${cartId}`, customerId, items, totalCents: 12_100 },
    placedAt,
  )

test('a customer has the orders of all carts', () =>
  specify(customerOrders)
    .given(ordered('c1', 'ann', morning))
    .when(ordered('c2', 'ann', evening), ordered('c3', 'bob', evening))
    .then(
      { customerId: 'ann', placedAt: evening, orderId: 'order-c2', itemCount: 5, totalCents: 12_100n },
      { customerId: 'ann', placedAt: morning, orderId: 'order-c1', itemCount: 5, totalCents: 12_100n },
      { customerId: 'bob', placedAt: evening, orderId: 'order-c3', itemCount: 5, totalCents: 12_100n },
    ))

test('two orders of one moment are two rows', () =>
  specify(customerOrders)
    .when(ordered('c1', 'ann', morning), ordered('c2', 'ann', morning))
    .then(
      { customerId: 'ann', placedAt: morning, orderId: 'order-c1', itemCount: 5, totalCents: 12_100n },
      { customerId: 'ann', placedAt: morning, orderId: 'order-c2', itemCount: 5, totalCents: 12_100n },
    ))
