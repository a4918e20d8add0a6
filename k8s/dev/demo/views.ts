import { z } from 'zod'
import { DemoFailure } from './children.ts'
import type { Display } from './display.ts'
import type { Sample } from './traffic.ts'

const cents = z.coerce.number()
const count = z.coerce.number()
const answers = {
  cart: z.object({ row: z.object({ status: z.string(), itemCount: count, totalCents: cents, updatedAt: z.string() }) }),
  orders: z.object({
    rows: z
      .array(
        z.object({ row: z.object({ placedAt: z.string(), orderId: z.string(), itemCount: count, totalCents: cents }) }),
      )
      .min(1),
  }),
  order: z.object({
    row: z.object({ customerId: z.string(), quantities: z.record(z.string(), count), totalCents: cents }),
  }),
  popularity: z.object({ row: z.object({ productId: z.string(), added: count, ordered: count, revenueCents: cents }) }),
  stock: z.object({ row: z.object({ quantity: count, unitPriceCents: cents.nullable() }) }),
  history: z.object({
    events: z.array(z.object({ position: z.string(), type: z.string(), time: z.string(), data: z.unknown() })).min(1),
  }),
  published: z.object({ positions: z.array(z.string()).length(1) }),
  fresh: z.object({ row: z.object({ itemCount: count }), stale: z.literal(false) }),
}

/** Puts something into a cart through the gateway and reads it back at once: the view is asked to hold that very event. */
export async function readYourOwnWrite(gateway: string, query: string, display: Display): Promise<void> {
  const cartId = 'cart-of-the-demo'
  const data = { cartId, productId: 'oak-lamp', quantity: 1, unitPriceCents: 4_950 }
  const event = {
    specversion: '1.0',
    id: `demo-${Date.now()}`,
    source: '/demo',
    type: 'ItemAddedToCart',
    subject: cartId,
    time: new Date().toISOString(),
    data,
  }
  const since = performance.now()
  const { positions } = await answered(answers.published, `${gateway}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  })
  const published = performance.now()
  await answered(answers.fresh, `${query}/views/cart-summary/${cartId}?after=${positions[0]}&wait=10000`)
  const read = performance.now()
  display.say(
    `  POST /events                → ${positions[0]} (${(published - since).toFixed(0)} ms), and GET /views/cart-summary/${cartId}?after=… holds it ${(read - published).toFixed(0)} ms later`,
  )
}

/** Prints some views as an application would read them. Fails if one is not there or not what it should be. */
export async function showViews(
  query: string,
  { cart, order, customer, products }: Sample,
  display: Display,
): Promise<void> {
  const get = <T>(schema: z.ZodType<T>, path: string) => answered(schema, `${query}${path}`)
  const show = (path: string, lines: readonly string[]) =>
    display.say([`  GET ${path}`, ...lines.map((line) => `        ${line}`)].join('\n'))

  const summary = (await get(answers.cart, `/views/cart-summary/${cart}`)).row
  show(`/views/cart-summary/${cart}`, [`${summary.status}, ${summary.itemCount} items, ${money(summary.totalCents)}`])

  const history = (await get(answers.history, `/entities/carts/${cart}/events`)).events
  show(
    `/entities/carts/${cart}/events`,
    history.map(({ position, type, data }) => `${position.padEnd(14)} ${type.padEnd(20)} ${inShort(data)}`),
  )

  const placed = (await get(answers.order, `/views/orders/${order}`)).row
  const items = Object.entries(placed.quantities).map(([product, quantity]) => `${quantity} × ${product}`)
  show(`/views/orders/${order}`, [`${items.join(', ')}: ${money(placed.totalCents)}`])

  const { rows } = await get(answers.orders, `/views/customer-orders/${customer}?limit=4`)
  const orders = rows.map(({ row }) => row)
  const newestFirst = orders.every(
    ({ placedAt }, index) => index === 0 || placedAt <= (orders[index - 1]?.placedAt ?? ''),
  )
  if (!newestFirst) throw new DemoFailure(`the orders of ${customer} are not newest first`)
  show(
    `/views/customer-orders/${customer}?limit=4`,
    orders.map(
      (one) =>
        `${one.placedAt}  ${one.orderId.padEnd(14)} ${String(one.itemCount).padStart(3)} items ${money(one.totalCents).padStart(11)}`,
    ),
  )

  const popular = await Promise.all(
    products.map(async (product) => (await get(answers.popularity, `/views/product-popularity/${product}`)).row),
  )
  const top = popular.sort((a, b) => b.added - a.added).slice(0, 5)
  show(
    `/views/product-popularity/{${products.length} products}`,
    top.map(
      (one) =>
        `${one.productId.padEnd(18)} ${String(one.added).padStart(5)} × in carts ${String(one.ordered).padStart(5)} × ordered ${money(one.revenueCents).padStart(13)}`,
    ),
  )

  const product = top[0]?.productId ?? ''
  const stock = (await get(answers.stock, `/views/stock/${product}`)).row
  show(`/views/stock/${product}`, [
    `${stock.quantity} left at ${stock.unitPriceCents === null ? 'no price' : money(stock.unitPriceCents)}`,
  ])
}

async function answered<T>(schema: z.ZodType<T>, url: string, request: RequestInit = {}): Promise<T> {
  const what = `${request.method ?? 'GET'} ${url}`
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(15_000) })
  const body = await response.text()
  if (!response.ok) throw new DemoFailure(`${what} answered ${response.status}: ${body.slice(0, 500)}`)
  const found = schema.safeParse(JSON.parse(body))
  if (found.success) return found.data
  throw new DemoFailure(`${what} answered ${body.slice(0, 500)}\n${z.prettifyError(found.error)}`)
}

function money(of: number): string {
  return (of / 100).toLocaleString('en', { minimumFractionDigits: 2 })
}

const itemData = z.object({ productId: z.string(), quantity: z.number() })
const orderData = z.object({ orderId: z.string() })

function inShort(data: unknown): string {
  const item = itemData.safeParse(data)
  if (item.success) return `${item.data.quantity} × ${item.data.productId}`
  return orderData.safeParse(data).data?.orderId ?? ''
}
