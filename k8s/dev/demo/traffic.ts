import { shop } from '../../../workers/loadgen/shop.ts'
import type { Children } from './children.ts'

export const TRAFFIC_SECONDS = 40

/** Two shops that sell the same products to the same customers: one speaks to the gateway, one straight to Kafka. */
const SHOPS = [
  { name: 'shop-via-gateway', seed: 2, rate: 60, via: 'gateway' },
  { name: 'shop-via-kafka', seed: 3, rate: 300, via: 'kafka' },
] as const

export const EVENTS_PER_SECOND = SHOPS.reduce((sum, { rate }) => sum + rate, 0)

/** The shops at work. */
export interface Traffic {
  /** All have sent everything. */
  readonly over: boolean
  /** Seconds since they opened. */
  readonly seconds: number
}

export function startTraffic(children: Children, gateway: string): Traffic {
  const began = Date.now()
  let open: number = SHOPS.length
  for (const { name, seed, rate, via } of SHOPS) {
    const flags = { rate, via, gateway, seed, events: rate * TRAFFIC_SECONDS }
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)])
    // A shop that fails is told by `children.failure`.
    children.start(name, ['loadgen', ...args]).finished.then(
      () => open--,
      () => {},
    )
  }
  return {
    get over() {
      return open === 0
    },
    get seconds() {
      return (Date.now() - began) / 1_000
    },
  }
}

/** Entities worth a look, found by letting a shop with the same seed tell the same story again. */
export interface Sample {
  /** An ordered cart that was changed much before. */
  readonly cart: string
  readonly order: string
  /** The customer with most orders. */
  readonly customer: string
  /** Products, the most popular ones first. */
  readonly products: readonly string[]
}

export function sample(): Sample {
  const [, { seed, rate }] = SHOPS
  const told = shop({ seed })
  const changes = new Map<string, number>()
  const orders = new Map<string, number>()
  const added = new Map<string, number>()
  let [cart, order, most] = ['', '', 0]
  for (let index = 0; index < rate * TRAFFIC_SECONDS; index++) {
    const { event } = told.next(new Date(0))
    const { data, subject, type }: { data?: unknown; subject: string; type: string } = event
    const said: Readonly<Record<string, unknown>> = { ...(typeof data === 'object' ? data : {}) }
    const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
    if (type === 'ItemAddedToCart') count(added, String(said.productId))
    if (type === 'ItemAddedToCart' || type === 'ItemRemovedFromCart') count(changes, subject)
    if (type !== 'OrderPlaced') continue
    count(orders, String(said.customerId))
    const changed = changes.get(subject) ?? 0
    if (changed > most && changed <= 9) [cart, order, most] = [subject, String(said.orderId), changed]
  }
  const byCount = (counts: ReadonlyMap<string, number>) => [...counts].sort(([, a], [, b]) => b - a).map(([key]) => key)
  return { cart, order, customer: byCount(orders)[0] ?? '', products: byCount(added).slice(0, 12) }
}
