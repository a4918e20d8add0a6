import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { command } from './command.ts'
import { crash, evict, Fleet } from './fleet.ts'
import { FILES, NEXT_BESIDE } from './next.ts'
import { until } from './patience.ts'
import { proof } from './proof.ts'
import { CHART, previousChart, RELEASED, Release } from './release.ts'
import { readSettings } from './settings.ts'

const settings = readSettings(process.env)
const cluster = new Cluster(settings.namespace)
const release = new Release(cluster, settings, join(import.meta.dirname, 'values.yaml'))
const carts = new Fleet(cluster, 'cart-summary', 1)
const next = new Fleet(cluster, 'cart-summary', 2)
const VIEWS = ['cart-summary.v1', 'product-popularity.v1', 'stock.v1']
const LOAD = { rate: 60, seconds: 30 }

/** Every view is the fold of its log, and none lags. Tells what was compared. */
async function allIsWell(views = VIEWS, projections?: string): Promise<void> {
  const { events, rows, faults } = await proof(cluster, settings, views, projections)
  expect(faults).toEqual([])
  console.log(`verified ${views.join(', ')}: ${events} events, ${rows} rows, no difference`)
}

/** Publishes an addition to a new cart through the gateway's Service, and reads that cart through the query server once it is there. */
async function firstRow(): Promise<{ readonly row: object; readonly version: number }> {
  const cartId = `e2e-${Date.now()}`
  const event = {
    specversion: '1.0',
    id: cartId,
    source: '/e2e',
    type: 'ItemAddedToCart',
    subject: cartId,
    data: { cartId, productId: 'shoes', quantity: 2, unitPriceCents: 5_000 },
  }
  const posted = `const answer = await fetch('http://tidemark-gateway/events', {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: ${JSON.stringify(JSON.stringify(event))},
  })
  console.log(await answer.text())`
  const answer = await cluster.kubectl(
    'exec',
    'deployment/tidemark-query',
    '--',
    'node',
    '--input-type=module',
    '--eval',
    posted,
  )
  const { positions }: { positions: readonly string[] } = JSON.parse(answer)
  const row = await until('the row can be read', 60, () =>
    cluster.get(`services/tidemark-query:http/proxy/views/cart-summary/${cartId}?after=${positions[0]}&wait=5000`),
  )
  return JSON.parse(row)
}

/** Runs a command that decides which version readers see, with both versions known, and waits until they see that. */
async function readersSee(version: number, ...args: readonly string[]): Promise<void> {
  const { ok, text } = await command(cluster, settings, args, FILES)
  if (!ok) throw new Error(text)
  await until(`readers see version ${version}`, 30, async () => (await firstRow()).version === version)
}

/** What of the release is left in the namespace, of any kind that has labels. */
async function leftovers(): Promise<readonly string[]> {
  const kinds = await cluster.kubectl('api-resources', '--namespaced', '--verbs', 'list', '--output', 'name')
  const ours = kinds
    .trim()
    .split('\n')
    .filter((kind) => !/^(events|bindings|.*\.metrics\.k8s\.io$)/.test(kind))
  const objects = await cluster.objects(ours.join(','), RELEASED)
  return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
}

beforeAll(() => cluster.makeNamespace())
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(await cluster.state())
})
afterAll(() => (process.env.E2E_KEEP ? undefined : cluster.removeNamespace()))

test('an installation from scratch serves the first row', async () => {
  await release.install()
  expect(await firstRow()).toMatchObject({ row: { itemCount: 2, totalCents: '10000' }, version: 1 })
  const load = await release.load(LOAD)
  console.log(await load.published())
  await allIsWell()
})

test("the chart's own tests succeed", async () => {
  expect(await release.test()).toMatch(/TEST SUITE: +tidemark-test\n[\s\S]*Phase: +Succeeded/)
  await allIsWell()
})

test('a rolling update under load, of every pod, loses nothing', async () => {
  const load = await release.load({ ...LOAD, seconds: 45, via: 'gateway' })
  await release.install(['--set', 'env.LOG_LEVEL=debug'])
  await carts.rolledOut()
  expect(await load.published()).toMatch(/^sent 2700 events/)
  await allIsWell()
})

test('a worker that is killed under load starts again where it was', async () => {
  const load = await release.load(LOAD)
  const [worker] = await carts.workers()
  await crash(cluster, worker!, settings.kill)
  await load.published()
  await allIsWell()
})

test('workers and servers that are evicted, as by the drain of a node, go one at a time', async () => {
  await release.install(['--set', 'projections.cart-summary.replicas=2'])
  await carts.has(2)
  const load = await release.load(LOAD)
  const before = await carts.workers()
  expect(
    await evict(cluster, [
      ...before,
      ...(await cluster.objects('pods', `${RELEASED},app.kubernetes.io/component in (gateway,query)`)),
    ]),
  ).toBeGreaterThan(0)
  await carts.has(2)
  const after = (await carts.workers()).map(({ metadata }) => metadata.uid)
  expect(after.filter((uid) => before.some(({ metadata }) => metadata.uid === uid))).toEqual([])
  await load.published()
  await allIsWell()
})

test('a fleet under load grows and shrinks without a gap', async () => {
  const load = await release.load({ ...LOAD, seconds: 60 })
  await release.install(['--set', 'projections.cart-summary.replicas=4'])
  await carts.has(4)
  const status = await command(cluster, settings, ['status', 'cart-summary.v1', '--json'])
  expect(JSON.parse(status.text)).toMatchObject([{ members: 4 }])
  await release.install(['--set', 'projections.cart-summary.replicas=1'])
  await carts.has(1)
  await load.published()
  await allIsWell()
})

test('version 2 fills beside version 1, readers are switched and switched back, and it takes over', async () => {
  const load = await release.load(LOAD)
  await release.install(NEXT_BESIDE)
  await next.has(1)
  await carts.has(1)
  await load.published()
  await allIsWell([...VIEWS, 'cart-summary.v2'], FILES)
  await readersSee(2, 'switch', 'cart-summary', '2')
  expect((await firstRow()).row).toMatchObject({ itemCount: 2, changes: 1 })
  await readersSee(1, 'rollback', 'cart-summary')
  await release.install(['--set', 'projections.cart-summary.version=2'])
  await carts.has(0)
  const more = await release.load({ ...LOAD, seconds: 10 })
  await more.published()
  await allIsWell(['cart-summary.v2', 'product-popularity.v1', 'stock.v1'], FILES)
})

test('an uninstallation leaves nothing behind but what is in Kafka and Cassandra', async () => {
  await release.uninstall()
  await until('everything is gone', 90, async () => (await leftovers()).length === 0)
})

test('an upgrade from the chart before this one goes on where that one was', async () => {
  const previous = settings.previousChart ? { path: settings.previousChart, remove: () => {} } : await previousChart()
  try {
    await release.install([], previous.path)
  } finally {
    previous.remove()
  }
  const load = await release.load(LOAD)
  await release.install([], CHART)
  await load.published()
  expect(await firstRow()).toMatchObject({ row: { itemCount: 2 }, version: 1 })
  await allIsWell()
  await release.uninstall()
  await until('everything is gone', 90, async () => (await leftovers()).length === 0)
})
