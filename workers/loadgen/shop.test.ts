import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CartEvent,
  type CloudEvent,
  carts,
  decoder,
  encodeBinary,
  encodeStructured,
  type InventoryEvent,
  inventory,
} from '../../shared/events/index.ts'
import { random, zipf } from './random.ts'
import { type ShopEvent, type ShopSettings, shop } from './shop.ts'

function happenings(count: number, settings: Partial<ShopSettings> = {}): readonly ShopEvent[] {
  const open = shop(settings)
  return Array.from({ length: count }, (_, index) => open.next(new Date(1_750_000_000_000 + index)))
}

const topics = { carts, inventory }

/** The shop's events fit the schemas of their topics, as the second test shows for all of them. */
function readCart({ type, data }: CloudEvent): CartEvent {
  return { type, data } as CartEvent
}

function read({ type, data }: CloudEvent): CartEvent | InventoryEvent {
  return { type, data } as CartEvent | InventoryEvent
}

describe('the shop', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(happenings(3_000, { seed: 7 })).toEqual(happenings(3_000, { seed: 7 }))
    const carts = (seed: number) =>
      new Set(happenings(500, { seed }).flatMap(({ topic, event }) => (topic === 'carts' ? [event.subject] : [])))
    expect([...carts(7)].filter((cart) => carts(8).has(cart))).toEqual([])
  })

  test('says only what every reader of its topics can read, in both modes, under an id of its own', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (seed, products, skew) => {
          const said = happenings(400, { seed, products, skew })
          expect(new Set(said.map(({ event }) => event.id)).size).toBe(said.length)
          for (const { topic, event } of said) {
            for (const encode of [encodeStructured, encodeBinary]) {
              const { key, value, headers } = encode(event)
              const record = {
                offset: 0,
                timestamp: 0,
                key: Buffer.from(key),
                value: Buffer.from(value ?? ''),
                headers,
              }
              const read = decoder(topics[topic], () => true)(record, 0)
              expect(read).toMatchObject({ type: event.type, subject: event.subject, data: event.data })
            }
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  test('lets a cart end once, keeps what is in it true, and never takes out what is not in it', () => {
    const lines = new Map<string, Map<string, { quantity: number; cents: number }>>()
    const ordered = new Set<string>()
    const refilled = new Set<string>()
    const emptied = new Set<string>()
    for (const { topic, event } of happenings(30_000)) {
      if (topic !== 'carts') continue
      const { type, data } = readCart(event)
      const cart = lines.get(data.cartId) ?? new Map<string, { quantity: number; cents: number }>()
      lines.set(data.cartId, cart)
      expect(ordered.has(data.cartId)).toBe(false)
      if (type === 'OrderPlaced') {
        const items = data.items.map(
          ({ productId, quantity, unitPriceCents }) => [productId, { quantity, cents: unitPriceCents }] as const,
        )
        expect(new Map(items)).toEqual(cart)
        expect(data.totalCents).toBe([...cart.values()].reduce((sum, { quantity, cents }) => sum + quantity * cents, 0))
        ordered.add(data.cartId)
        continue
      }
      const line = cart.get(data.productId) ?? { quantity: 0, cents: data.unitPriceCents }
      expect(data.unitPriceCents).toBe(line.cents)
      line.quantity += type === 'ItemAddedToCart' ? data.quantity : -data.quantity
      expect(line.quantity).toBeGreaterThanOrEqual(0)
      if (line.quantity === 0) cart.delete(data.productId)
      else cart.set(data.productId, line)
      if (cart.size === 0) emptied.add(data.cartId)
      else if (emptied.has(data.cartId)) refilled.add(data.cartId)
    }
    const open = [...lines].filter(([id, cart]) => cart.size > 0 && !ordered.has(id))
    expect(ordered.size).toBeGreaterThan(1_000)
    expect(emptied.size).toBeGreaterThan(300)
    expect(refilled.size).toBeGreaterThan(50)
    expect(open.length).toBeGreaterThan(300)
  })

  test('sells what it has: products are priced and received before they are bought, and re-ordered before they run out for long', () => {
    const priced = new Set<string>()
    const stock = new Map<string, number>()
    for (const { event } of happenings(30_000)) {
      const { type, data } = read(event)
      if (type === 'PriceChanged') priced.add(data.productId)
      if (type === 'StockReceived') stock.set(data.productId, (stock.get(data.productId) ?? 0) + data.quantity)
      if (type === 'StockAdjusted') stock.set(data.productId, (stock.get(data.productId) ?? 0) + data.delta)
      if (type === 'ItemAddedToCart') {
        expect(priced.has(data.productId)).toBe(true)
        expect(stock.has(data.productId)).toBe(true)
      }
    }
    expect(stock.size).toBe(120)
    expect([...stock.values()].filter((quantity) => quantity > 0).length).toBeGreaterThan(110)
  })
})

describe('Zipf', () => {
  test('meets ranks in proportion to 1 / rank', () => {
    const [chance, rank] = [random(3), zipf(100, 1)]
    const draws = Array.from({ length: 100_000 }, () => rank(chance))
    const harmonic = Array.from({ length: 100 }, (_, index) => 1 / (index + 1)).reduce((a, b) => a + b)
    for (const index of [0, 1, 9]) {
      const met = draws.filter((draw) => draw === index).length
      expect(met).toBeCloseTo(100_000 / (index + 1) / harmonic, -3)
    }
  })

  test('draws among the first ranks only, where asked', () => {
    const [chance, rank] = [random(3), zipf(100, 1)]
    for (let draw = 0; draw < 1_000; draw++) expect(rank(chance, 3)).toBeLessThan(3)
  })
})
