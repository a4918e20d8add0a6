import { carts, type Event, inventory } from '../../shared/events/index.ts'
import { defineProjection, type Row, table } from '../../shared/projection/index.ts'

const view = table('entity_history', {
  columns: {
    topic: 'text',
    entity: 'text',
    offset: 'bigint',
    type: 'text',
    id: 'text',
    time: 'timestamp',
    source: 'text',
    data: 'text',
  },
  partitionKey: ['topic', 'entity'],
  clusteringKey: { offset: 'asc' },
})

/** An event as a row: written once, never changed. */
function kept(row: Row<typeof view>, { type, id, time, source, data }: Event) {
  return { ...row, type, id, time, source, data: JSON.stringify(data) }
}

/**
 * Everything that ever happened to a cart or a product, in the order of the log. One entity has one key, hence one
 * partition, so the offset alone puts its events in order; `data` is JSON.
 */
export const entityHistory = defineProjection({
  name: 'entity-history',
  version: 1,
  topic: [carts, inventory],
  view,
  key: ({ subject, position }) => ({
    topic: position.topic,
    entity: subject,
    offset: BigInt(position.offset),
  }),
  initial: (key) => ({ ...key, type: '', id: '', time: new Date(0), source: '', data: '' }),
  on: {
    ItemAddedToCart: kept,
    ItemRemovedFromCart: kept,
    OrderPlaced: kept,
    StockReceived: kept,
    StockAdjusted: kept,
    PriceChanged: kept,
  },
})
