import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { dashboards } from '../chart/dashboards/index.ts'
import { panelsOf } from '../chart/dashboards/panels.ts'
import { Cluster } from './cluster.ts'
import { NEXT_BESIDE } from './next.ts'
import { until } from './patience.ts'
import { Prometheus } from './prometheus.ts'
import { Release } from './release.ts'
import { readSettings } from './settings.ts'

const settings = readSettings(process.env)
const cluster = new Cluster(settings.namespace)
const prometheus = new Prometheus(cluster)
const release = new Release(cluster, settings, join(import.meta.dirname, 'values.yaml'))

/** What is silent while nothing is wrong and nobody is busy, by the part of its query that says so. Everything else must have data. */
const SILENT: readonly RegExp[] = [/tidemark:fleet:cassandra_s(low|econds_unhurried)/, /tidemark:fleet:measured/]

/** As Grafana would ask. */
const asked = (expr: string) =>
  expr
    .replaceAll('$__rate_interval', '2m')
    .replaceAll('$__range', '10m')
    .replaceAll(/\$(namespace|projection|version)/g, '.*')

beforeAll(async () => {
  await cluster.makeNamespace()
  await release.install([...NEXT_BESIDE, '--set', 'monitoring.rules.type=configMap'])
  // After the chart, so that it finds the rules when it starts.
  await prometheus.install(settings)
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(await cluster.state())
})
afterAll(async () => {
  if (process.env.E2E_KEEP) return
  await release.uninstall()
  await cluster.removeNamespace()
})

test('every rule is evaluated without an error, and every recorded series has data', async () => {
  const load = await release.load({ rate: 40, seconds: 180 })
  const rules = await prometheus.rules()
  await until('all rules have been evaluated', 60, async () =>
    (await prometheus.rules()).every(({ health }) => health !== 'unknown'),
  )
  expect((await prometheus.rules()).filter(({ health }) => health !== 'ok')).toEqual([])
  const recorded = [...new Set(rules.map(({ name }) => name).filter((name) => name.includes(':')))]
  const speaking = recorded.filter((name) => !SILENT.some((one) => one.test(name)))
  // That a version has caught up is only said when it was so for two minutes.
  await until('every recorded series has data', 300, async () => (await empty(speaking)).length === 0).catch(async () =>
    expect(await empty(speaking)).toEqual([]),
  )
  await load.published()
})

test('every panel of every dashboard has data', async () => {
  const load = await release.load({ rate: 40, seconds: 60 })
  const panels = dashboards.flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ name: `${dashboard.uid} / ${title}`, expr })),
    ),
  )
  const wanted = panels.filter(({ expr }) => !SILENT.some((one) => one.test(expr))).map(({ expr }) => asked(expr))
  await until('every panel has data', 60, async () => (await empty(wanted)).length === 0).catch(async () => {
    const silent = await empty(wanted)
    expect(panels.filter(({ expr }) => silent.includes(asked(expr)))).toEqual([])
  })
  await load.published()
  console.log(`${panels.length} queries of ${dashboards.length} dashboards`)
})

/** Queries that give no series. */
async function empty(queries: readonly string[]): Promise<readonly string[]> {
  const silent: string[] = []
  for (const query of queries) if ((await prometheus.ask(query)).length === 0) silent.push(query)
  return silent
}
