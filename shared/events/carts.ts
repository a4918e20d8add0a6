import { z } from 'zod'
import { defineTopic, type EventOf } from './topic.ts'

const cartItem = z.object({
  productId: z.string().min(1),
  quantity: z.int().min(1).max(1_000_000),
  unitPriceCents: z.int().min(0).max(1_000_000_000),
})

export type CartItem = z.infer<typeof cartItem>

/** What customers ask of their carts: service requests, each about one cart, which is the Kafka key. */
export const carts = defineTopic({
  name: 'carts',
  partitions: 12,
  events: {
    ItemAddedToCart: cartItem.extend({ cartId: z.string().min(1) }),
    ItemRemovedFromCart: cartItem.extend({ cartId: z.string().min(1) }),
    OrderPlaced: z.object({
      cartId: z.string().min(1),
      orderId: z.string().min(1),
      customerId: z.string().min(1),
      items: z.array(cartItem).min(1).max(1_000),
      totalCents: z.int().min(0),
    }),
  },
})

export type CartEvent = EventOf<typeof carts>
