import type { CartItem } from '../../shared/events/index.ts'
import type { Random } from './random.ts'
import type { Said } from './said.ts'

/** What a customer may find in the shop. */
export interface Shelves {
  /** A product by its rank, chosen as customers choose. */
  choose(): number
  productId(product: number): string
  price(product: number): number
}

/** How a cart ends: ordered, left behind with what is in it, or emptied (some of those are filled again later). */
type Fate = 'order' | 'abandon' | 'empty'

export type Phase = 'filling' | 'ordered' | 'abandoned' | 'emptied'

interface Line {
  readonly product: number
  readonly unitPriceCents: number
  quantity: number
}

/**
 * One customer's cart from the first product to its end. A line keeps the price at which it was begun, as shops promise it, so that
 * what is taken out costs what was put in.
 */
export class CustomerCart {
  readonly cartId: string
  readonly customerId: string
  readonly #random: Random
  readonly #lines: Line[] = []
  #phase: Phase = 'filling'
  #fate: Fate
  #wishes: number
  #orderedLines: readonly Line[] = []

  constructor(cartId: string, customerId: string, random: Random) {
    this.cartId = cartId
    this.customerId = customerId
    this.#random = random
    const fate = random.fraction()
    this.#fate = fate < 0.6 ? 'order' : fate < 0.8 ? 'abandon' : 'empty'
    this.#wishes = random.whole(1, 6)
  }

  get phase(): Phase {
    return this.#phase
  }

  /** What was ordered; empty in any other phase. */
  get ordered(): readonly { readonly product: number; readonly quantity: number }[] {
    return this.#orderedLines
  }

  /** The customer of an emptied cart is back, and this time means it. */
  reopen(): void {
    this.#phase = 'filling'
    this.#fate = 'order'
    this.#wishes = this.#random.whole(1, 4)
  }

  /** The next thing the customer does; only while filling. */
  next(shelves: Shelves): Said {
    const line = this.#lines[this.#random.whole(0, this.#lines.length - 1)]
    if (line === undefined || this.#wishes > 0) {
      // Not the last product there is: an emptied cart is a fate, and not an accident.
      if (line !== undefined && this.#count() > 1 && this.#random.chance(0.15)) return this.#remove(line, 1, shelves)
      this.#wishes--
      return this.#add(shelves)
    }
    if (this.#fate === 'order') return this.#order(shelves)
    const removal = this.#remove(line, this.#fate === 'empty' ? line.quantity : 1, shelves)
    if (this.#lines.length === 0) this.#phase = 'emptied'
    else if (this.#fate === 'abandon') this.#phase = 'abandoned'
    return removal
  }

  #count(): number {
    return this.#lines.reduce((sum, { quantity }) => sum + quantity, 0)
  }

  #item({ product, unitPriceCents }: Line, quantity: number, shelves: Shelves): CartItem {
    return { productId: shelves.productId(product), quantity, unitPriceCents }
  }

  #add(shelves: Shelves): Said {
    const product = shelves.choose()
    const quantity = this.#random.chance(0.8) ? 1 : this.#random.whole(2, 4)
    let line = this.#lines.find((one) => one.product === product)
    if (line) line.quantity += quantity
    else {
      line = { product, quantity, unitPriceCents: shelves.price(product) }
      this.#lines.push(line)
    }
    const data = { cartId: this.cartId, ...this.#item(line, quantity, shelves) }
    return { topic: 'carts', type: 'ItemAddedToCart', subject: this.cartId, data }
  }

  #remove(line: Line, quantity: number, shelves: Shelves): Said {
    line.quantity -= quantity
    if (line.quantity === 0) this.#lines.splice(this.#lines.indexOf(line), 1)
    const data = { cartId: this.cartId, ...this.#item(line, quantity, shelves) }
    return { topic: 'carts', type: 'ItemRemovedFromCart', subject: this.cartId, data }
  }

  #order(shelves: Shelves): Said {
    this.#phase = 'ordered'
    this.#orderedLines = this.#lines
    const items = this.#lines.map((line) => this.#item(line, line.quantity, shelves))
    const totalCents = items.reduce((sum, { quantity, unitPriceCents }) => sum + quantity * unitPriceCents, 0)
    const { cartId, customerId } = this
    const data = { cartId, customerId, orderId: cartId.replace('cart', 'order'), items, totalCents }
    return { topic: 'carts', type: 'OrderPlaced', subject: cartId, data }
  }
}
