import type { Random } from './random.ts'
import type { Said } from './said.ts'

/** The warehouse and the price list: what is on sale, for how much, and how many are left. */
export interface Warehouse {
  /** How many of the products, the most popular first, may be bought yet. */
  readonly onSale: number
  /** Cents; of a product on sale. */
  price(product: number): number
  /** Whether something waits to be told. */
  readonly busy: boolean
  /** Goods leave for an order: adjustments and re-orders follow. */
  ship(product: number, quantity: number, orderId: string): void
  /** The next thing the warehouse says: what waits, else a price change or a stock-take. */
  next(): Said
}

const SITES = ['north', 'south', 'harbour']
const REORDER_BELOW = 40

interface Shelf {
  quantity: number
  cents: number
  ordered: boolean
}

/** `products` are put on sale one after the other: first a price, then stock. */
export function warehouse(products: readonly string[], random: Random): Warehouse {
  const shelves: Shelf[] = []
  const waiting: (() => Said)[] = []
  let onSale = 0

  const shelf = (product: number): Shelf => {
    const found = shelves[product]
    if (!found) throw new RangeError(`product ${product} is not on sale`)
    return found
  }
  const subject = (product: number): string => products[product] ?? ''

  function opening(): Said {
    if (shelves.length === onSale) {
      shelves.push({ quantity: 0, cents: random.whole(4, 240) * 50 - 1, ordered: false })
      return priced(onSale)
    }
    onSale++
    return received(onSale - 1, random.whole(100, 400))
  }

  function priced(product: number): Said {
    const productId = subject(product)
    const data = { productId, unitPriceCents: shelf(product).cents }
    return { topic: 'inventory', type: 'PriceChanged', subject: productId, data }
  }

  function received(product: number, quantity: number): Said {
    const of = shelf(product)
    of.quantity += quantity
    of.ordered = false
    const productId = subject(product)
    const site = SITES[random.whole(0, SITES.length - 1)] ?? 'north'
    return {
      topic: 'inventory',
      type: 'StockReceived',
      subject: productId,
      data: { productId, quantity, warehouse: site },
    }
  }

  function adjusted(product: number, delta: number, reason: string): Said {
    shelf(product).quantity += delta
    const productId = subject(product)
    return { topic: 'inventory', type: 'StockAdjusted', subject: productId, data: { productId, delta, reason } }
  }

  function everyday(): Said {
    const product = random.whole(0, onSale - 1)
    const of = shelf(product)
    if (random.chance(0.6)) {
      of.cents = Math.max(49, Math.round((of.cents * random.whole(85, 118)) / 5000) * 50 - 1)
      return priced(product)
    }
    return adjusted(product, -random.whole(1, 3), random.chance(0.5) ? 'broken' : 'stock-take')
  }

  return {
    get onSale() {
      return onSale
    },
    price: (product) => shelf(product).cents,
    get busy() {
      return waiting.length > 0 || onSale < products.length
    },
    ship(product, quantity, orderId) {
      waiting.push(() => adjusted(product, -quantity, `shipped ${orderId}`))
      const of = shelf(product)
      if (of.ordered || of.quantity - quantity >= REORDER_BELOW) return
      of.ordered = true
      waiting.push(() => received(product, random.whole(150, 500)))
    },
    next() {
      const first = onSale < products.length && (waiting.length === 0 || random.chance(0.5)) ? opening : waiting.shift()
      return (first ?? everyday)()
    },
  }
}
