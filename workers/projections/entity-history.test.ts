import { test } from 'vitest'
import { carts, inventory } from '../../shared/events/index.ts'
import { event, specify } from '../../shared/projection/spec.ts'
import { entityHistory } from './entity-history.ts'

const noon = new Date('2026-01-01T12:00:00Z')
const added = { productId: 'shoes', quantity: 2, unitPriceCents: 5000, cartId: 'c1' }
const received = { productId: 'shoes', quantity: 5, warehouse: 'north' }

test('every event of an entity is kept in the order of the log', () =>
  specify(entityHistory, { partitions: 1 })
    .given(event(carts, 'ItemAddedToCart', 'c1', added))
    .when(event(carts, 'ItemRemovedFromCart', 'c1', added), event(inventory, 'StockReceived', 'shoes', received))
    .then(
      row({
        topic: 'carts',
        entity: 'c1',
        offset: 0n,
        type: 'ItemAddedToCart',
        id: 'event-1',
        data: JSON.stringify(added),
      }),
      row({
        topic: 'carts',
        entity: 'c1',
        offset: 1n,
        type: 'ItemRemovedFromCart',
        id: 'event-2',
        data: JSON.stringify(added),
      }),
      row({
        topic: 'inventory',
        entity: 'shoes',
        offset: 0n,
        type: 'StockReceived',
        id: 'event-3',
        data: JSON.stringify(received),
      }),
    ))

function row<Fields>(fields: Fields) {
  return { ...fields, time: noon, source: 'spec' }
}
