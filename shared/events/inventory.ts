import { z } from 'zod'
import { defineTopic, type EventOf } from './topic.ts'

/** What the warehouse and the price list tell: system notifications, each about one product, which is the Kafka key. */
export const inventory = defineTopic({
  name: 'inventory',
  partitions: 12,
  events: {
    StockReceived: z.object({ productId: z.string().min(1), quantity: z.int().min(1), warehouse: z.string().min(1) }),
    StockAdjusted: z.object({ productId: z.string().min(1), delta: z.int(), reason: z.string() }),
    PriceChanged: z.object({ productId: z.string().min(1), unitPriceCents: z.int().min(0) }),
  },
})

export type InventoryEvent = EventOf<typeof inventory>
