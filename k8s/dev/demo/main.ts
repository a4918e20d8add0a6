import { join } from 'node:path'
import { loadProjections } from '../../../workers/loader.ts'
import { StackError } from '../errors.ts'
import { locked } from '../lock.ts'
import { showProgress } from '../progress.ts'
import { Children, DemoFailure, endLeftovers } from './children.ts'
import { Display } from './display.ts'
import { startFleet } from './fleet.ts'
import { demoFolder, endStack, ROOT, startStack } from './ground.ts'
import { prove } from './proof.ts'
import { takeover } from './takeover.ts'
import { EVENTS_PER_SECOND, sample, startTraffic, TRAFFIC_SECONDS } from './traffic.ts'
import { readYourOwnWrite, showViews } from './views.ts'

/*
 * `make demo`: the whole of Tidemark on a real Kafka and a real Cassandra, in about two minutes. A shop's events become views, a worker is
 * killed on the way, and at the end the views are proven equal to the log. Whatever goes wrong ends it with exit code 1, and nothing
 * is left running unless KEEP=1. `node k8s/dev/demo/main.ts end` ends what KEEP=1 left.
 */

const display = new Display()
const progress = showProgress()
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => stop.abort(new DemoFailure(`ended by ${name}`)))

process.exitCode = await locked(
  join(ROOT, '.stack', '.demo-runs.lock'),
  (pid) => display.say(`another demo is running (process ${pid}): waiting for it`),
  process.argv[2] === 'end' ? end : demo,
  stop.signal,
).catch(failed)
progress.close()

async function demo(): Promise<number> {
  const keep = /^(1|true|yes)$/i.test(process.env.KEEP ?? '')
  let children: Children | undefined
  let well = false
  try {
    if (await removed(true)) display.say('ended the demo that was left running')
    children = await story(keep)
    well = true
  } catch (error) {
    return failed(error)
  } finally {
    display.erase()
    if (well && keep) children?.leave()
    else {
      const since = Date.now()
      // After a fault the logs are worth more than the room they take; the next run removes them.
      await removed(well)
      display.done('everything the demo started has ended', since)
    }
  }
  display.say(`\nDone in ${display.seconds.toFixed(0)} s.`)
  return 0
}

async function story(keep: boolean): Promise<Children> {
  const { signal } = stop
  display.heading('A real Kafka and a real Cassandra')
  let since = Date.now()
  const addresses = await startStack(progress, signal)
  display.done(
    'both answer',
    since,
    `Kafka ${addresses.KAFKA_BROKERS}, Cassandra ${addresses.CASSANDRA_CONTACT_POINTS}`,
  )

  const { all: projections } = await loadProjections({ builtin: true })
  const names = projections.map(({ name }) => name)
  const children = new Children(demoFolder(), addresses)
  since = Date.now()
  await children.run(['init'], signal)
  display.done('tidemark init', since, 'keyspace, tables and topics')

  display.heading('Two projectors share the work')
  since = Date.now()
  const fleet = await startFleet(projections, children, display, signal)
  display.done(`${names.length} views, ${fleet.partitions} partitions`, since, names.join(', '))

  display.heading(
    `A shop at ${EVENTS_PER_SECOND} events/s for ${TRAFFIC_SECONDS} s, in part through the gateway, in part straight into Kafka`,
  )
  since = Date.now()
  const traffic = startTraffic(children, fleet.gateway)
  await fleet.until('the traffic runs', TRAFFIC_SECONDS, () => traffic.seconds > TRAFFIC_SECONDS * 0.35)
  await takeover(fleet, children, display)
  await fleet.until('the shops close', TRAFFIC_SECONDS + 30, () => traffic.over)
  display.done('the shops have closed', since)
  since = Date.now()
  await fleet.until('the views hold everything', 30, ({ lag }) => lag === 0)
  display.done('the views hold everything', since)

  display.heading('What an application reads')
  await readYourOwnWrite(fleet.gateway, fleet.query, display)
  await showViews(fleet.query, sample(), display)

  display.heading('Every row compared with an independent fold of the log')
  await prove(names, children, display, signal)
  children.check()

  if (keep) explain(addresses, fleet)
  return children
}

function explain(
  addresses: Record<string, string>,
  { gateway, query, workers }: { gateway: string; query: string; workers: readonly { port: number }[] },
): void {
  display.heading('Kept running (KEEP=1)')
  const settings = Object.entries(addresses).map(([name, value]) => `${name}=${value}`)
  const lines = [
    `query      ${query}/docs`,
    `gateway    ${gateway}/docs`,
    `metrics    http://127.0.0.1:${workers[1]?.port}/metrics`,
    `settings   export ${settings.join(' ')}`,
    'status     npx tidemark status',
    'end it     node k8s/dev/demo/main.ts end',
  ]
  for (const line of lines) display.say(`  ${line}`)
}

async function removed(wipe: boolean): Promise<boolean> {
  const processes = await endLeftovers(demoFolder())
  const stack = await endStack(progress, { wipe })
  return processes.length > 0 || stack
}

async function end(): Promise<number> {
  display.say((await removed(true)) ? 'the demo has ended' : 'no demo was running')
  return 0
}

function failed(error: unknown): number {
  display.erase()
  const known = error instanceof DemoFailure || error instanceof StackError
  const stack = error instanceof Error ? error.stack : undefined
  display.failed(error instanceof DemoFailure ? error.message : known ? String(error) : (stack ?? String(error)))
  return stop.signal.aborted ? 130 : 1
}
