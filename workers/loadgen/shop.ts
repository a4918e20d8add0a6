import type { CloudEvent } from '../../shared/events/index.ts'
import { CustomerCart, type Shelves } from './customer-cart.ts'
import { productIds } from './products.ts'
import { random, zipf } from './random.ts'
import type { Said } from './said.ts'
import { warehouse } from './warehouse.ts'

export interface ShopSettings {
  /** Any whole number from 0 to 2^53 - 1; it is in the ids of carts and events, so that shops of other seeds share only products and customers. */
  readonly seed: number
  readonly products: number
  readonly customers: number
  /** Carts that are being filled at the same time. */
  readonly openCarts: number
  /** Zipf exponent of the products' popularity: 0 none is more popular, 1 as in a real shop, 2 a few get nearly all. */
  readonly skew: number
}

export const defaultShop: ShopSettings = { seed: 1, products: 120, customers: 400, openCarts: 100, skew: 1 }

export interface ShopEvent {
  readonly topic: 'carts' | 'inventory'
  readonly event: CloudEvent
}

/** A shop that never closes. */
export interface Shop {
  /** What happens next, as of `time`. The settings and the times are all it depends on. */
  next(time: Date): ShopEvent
}

/** Emptied carts that are remembered because their customers may come back. */
const MOST_EMPTIED = 200

/**
 * A believable shop as a pure generator: carts are filled, changed, ordered, abandoned, emptied and some of these filled again, in
 * an order that makes sense for each; the warehouse receives, ships and recounts what the carts order, and changes prices.
 */
export function shop(settings: Partial<ShopSettings> = {}): Shop {
  const { seed, products, customers, openCarts, skew } = { ...defaultShop, ...settings }
  const chance = random(seed)
  const ids = productIds(products)
  const goods = warehouse(ids, chance)
  const popular = zipf(products, skew)
  const loyal = zipf(customers, 0.5)
  const open: CustomerCart[] = []
  const emptied: CustomerCart[] = []
  const mark = seed.toString(36)
  let cartsBegun = 0
  let events = 0

  const shelves: Shelves = {
    choose: () => popular(chance, goods.onSale),
    productId: (product) => ids[product] ?? '',
    price: (product) => goods.price(product),
  }

  function said(): Said {
    if (goods.onSale === 0 || chance.chance(goods.busy ? 0.45 : 0.03)) return goods.next()
    const at = chance.whole(0, openCarts - 1)
    const cart = open[at] ?? begin()
    const fact = cart.next(shelves)
    if (cart.phase !== 'filling') leave(cart)
    return fact
  }

  function begin(): CustomerCart {
    const back =
      emptied.length > 0 && chance.chance(0.25) ? emptied.splice(chance.whole(0, emptied.length - 1), 1)[0] : undefined
    back?.reopen()
    const customerId = `customer-${String(loyal(chance) + 1).padStart(4, '0')}`
    const cart = back ?? new CustomerCart(`cart-${mark}-${++cartsBegun}`, customerId, chance)
    open.push(cart)
    return cart
  }

  function leave(cart: CustomerCart): void {
    open.splice(open.indexOf(cart), 1)
    for (const { product, quantity } of cart.ordered)
      goods.ship(product, quantity, cart.cartId.replace('cart', 'order'))
    if (cart.phase === 'emptied' && emptied.length < MOST_EMPTIED) emptied.push(cart)
  }

  return {
    next(time) {
      const { topic, ...fact } = said()
      const id = `shop-${mark}-${++events}`
      const source = topic === 'carts' ? '/shop/checkout' : '/shop/warehouse'
      return { topic, event: { specversion: '1.0', id, source, ...fact, time: time.toISOString() } }
    },
  }
}
