import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from '../e2e/cluster.ts'
import { FILES } from '../e2e/next.ts'
import { until } from '../e2e/patience.ts'
import { Prometheus } from '../e2e/prometheus.ts'
import { proof } from '../e2e/proof.ts'
import { Release, ROOT } from '../e2e/release.ts'
import { readSettings } from '../e2e/settings.ts'
import { type Happened, judge, type Verdict } from './judge.ts'
import { narrowCassandra } from './narrow-cassandra.ts'
import { Recorder } from './recorder.ts'
import { reportPage } from './report.ts'
import { chartValues, readScenario } from './scenario.ts'

/*
 * `make load-test`: plays a scenario against a fleet that KEDA scales, on the cluster that kubectl finds, and writes what happened as
 * one page, report/load-test-<scenario>.html. Exit code 1 if a promise was broken.
 */

const path = process.argv[2] || join(import.meta.dirname, 'scenarios/step.json')
const scenario = readScenario(path)
const settings = readSettings({ E2E_NAMESPACE: 'tidemark-load', ...process.env })
const cluster = new Cluster(settings.namespace)
const prometheus = new Prometheus(cluster)
const release = new Release(cluster, settings, join(import.meta.dirname, 'values.yaml'))
const { projection, version } = scenario
const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`)

await cluster.kubectl('get', 'customresourcedefinition', 'scaledobjects.keda.sh').catch(() => {
  throw new Error('this cluster has no KEDA: install it first, see https://keda.sh/docs/latest/deploy')
})
say('installing')
await cluster.makeNamespace()
const narrow =
  scenario.cassandraBytesPerSecond && (await narrowCassandra(cluster, settings, scenario.cassandraBytesPerSecond))
await release.install([
  ...chartValues(scenario, dirname(path), `http://prometheus.${settings.namespace}:9090`),
  ...(narrow ? ['--set', `cassandra.contactPoints={${narrow}}`] : []),
])
// After the chart, so that it finds the rules when it starts.
await prometheus.install(settings)
await prometheus.rules()
const recorder = new Recorder(cluster, prometheus, `tidemark-${projection}-v${version}`, Date.now())
await until('the fleet rests', 300, async () => recorder.asked() === scenario.workers.minimum)

const began = recorder.now()
const steps: Happened[] = []
for (const { seconds, rate, skew } of scenario.steps) {
  const from = recorder.now()
  say(`${rate} events/s for ${seconds} s; ${recorder.asked()} worker(s) asked for`)
  if (rate === 0) await sleep(seconds * 1_000)
  else {
    const load = await release.load({ rate, seconds, ...(skew !== undefined && { skew }) })
    say(await load.published())
  }
  steps.push({ rate, from, to: recorder.now() })
}
say('verifying')
const seconds = recorder.now()
const { events, rows, faults } = await proof(cluster, settings, [`${projection}.v${version}`], scenario.file && FILES)
const courses = await recorder.courses(projection, version)
const verified: Verdict = {
  promise: 'The view is the fold of its log',
  seen: faults.length > 0 ? faults.join('; ') : `${events} events, ${rows} rows, no difference`,
  kept: faults.length === 0,
}
const verdicts = [...judge(scenario, steps, courses), verified]
for (const { promise, seen, kept } of verdicts) say(`${kept ? 'kept  ' : 'BROKEN'}  ${promise}: ${seen}`)

const page = reportPage({
  scenario,
  steps,
  courses,
  verdicts,
  seconds,
  began: new Date(Date.now() - (recorder.now() - began) * 1_000),
})
mkdirSync(join(ROOT, 'report'), { recursive: true })
const file = join(ROOT, 'report', `load-test-${basename(path, '.json')}.html`)
writeFileSync(file, page)
say(`written: ${file}`)
if (!process.env.E2E_KEEP) {
  await release.uninstall()
  await cluster.removeNamespace()
}
process.exitCode = verdicts.every(({ kept }) => kept) ? 0 : 1
