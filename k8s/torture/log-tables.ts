import { setTimeout as sleep } from 'node:timers/promises'
import { account, poison, sound } from './events.ts'
import { filled, published, type Scenario } from './log-scenario.ts'
import { type LogWorld, until } from './log-world.ts'
import type { Random } from './random.ts'
import type { Worker } from './workers.ts'

/** Readiness gives a worker that stands still a minute. */
const UNREADY_MS = 120_000
/** Longer than a worker waits for an answer of Cassandra. */
const LATER_THAN_ANY_TIMEOUT_MS = 7_000

/** Resolves when the worker is not ready and gives a reason with `word`. */
function unready(world: LogWorld, worker: Worker, word: string): Promise<void> {
  const holds = async () => (await world.unready(worker)).includes(word)
  return until(`the worker is not ready and names ${word}`, holds, UNREADY_MS)
}

/** The worker ends because it refuses to run and says why, and so does the next one, which a supervisor would start. */
async function refusedForGood(world: LogWorld, worker: Worker, reason: RegExp): Promise<readonly string[]> {
  const words = [await world.refusal(worker), await world.refusal(world.start())]
  return words.flatMap((said, time) => (reason.test(said) ? [] : [`worker ${time + 1} says ${said.slice(-500)}`]))
}

/** Gives what makes a table again, empty: as anybody would or, with `id`, as the schema.cql of a snapshot does, which is the old table. */
async function remaking(world: LogWorld, table: string, { id = false } = {}): Promise<() => Promise<unknown>> {
  const [row] = await world.stored.cql(`DESCRIBE TABLE ${table}${id ? ' WITH INTERNALS' : ''}`)
  return () => world.stored.cql(String(row?.create_statement))
}

/** Dead letters, and events that wait behind them. */
async function setAside(world: LogWorld, random: Random): Promise<readonly string[]> {
  await world.publish(['a0', 'a1', 'a2'].map((id) => poison('handler', id, random)))
  await published(world, 600, random)
  await world.caughtUp()
  const { letters, waiting } = await world.books()
  return letters.size > 0 && waiting.size > 0 ? [] : ['nothing is set aside']
}

/** What may happen to the tables, and to writes on their way there. */
export const tableScenarios: readonly Scenario[] = [
  {
    name: 'tables: dead letters can not be recorded',
    expected:
      'the partition of the poison holds, the others flow, nothing of it is committed; then it goes on by itself',
    async play(world, random) {
      await filled(world, random)
      const restore = await remaking(world, `${world.keyspace}.tm_dead_letters`, { id: true })
      await world.stored.cql(`DROP TABLE ${world.keyspace}.tm_dead_letters`)
      const [at] = await world.publish([poison('handler', account(random), random)])
      await published(world, 500, random)
      await world.caughtUp((partition) => partition !== at!.partition)
      const committed = (await world.committed()).get(at!.partition) ?? 0
      const differences = committed > at!.offset ? [`${committed} is committed, though ${at!.offset} is lost`] : []
      await restore()
      await world.caughtUp()
      return [...differences, ...(await world.differences())]
    },
  },
  {
    name: 'tables: dead letters can not be recorded for long, by a worker that is killed meanwhile',
    expected: 'readiness names the table; after it is there again the view is the fold of the log',
    async play(world, random) {
      const worker = await filled(world, random)
      const restore = await remaking(world, `${world.keyspace}.tm_dead_letters`, { id: true })
      await world.stored.cql(`DROP TABLE ${world.keyspace}.tm_dead_letters`)
      await world.publish(Array.from({ length: 20 }, () => poison('handler', account(random), random)))
      await published(world, 500, random)
      await unready(world, worker, 'tm_dead_letters')
      // One that started before the table is there again would end, so that whoever has to act is told.
      await worker.end('SIGKILL')
      await restore()
      world.start()
      await world.caughtUp()
      return world.differences()
    },
  },
  {
    name: 'tables: a column of the key renamed while running, then named back',
    expected: 'the worker holds and readiness names the table; then it goes on and the view is the fold of the log',
    async play(world, random) {
      const worker = await filled(world, random)
      await world.stored.cql(`ALTER TABLE ${world.view} RENAME id TO identity`)
      await published(world, 500, random)
      await unready(world, worker, world.view)
      await world.stored.cql(`ALTER TABLE ${world.view} RENAME identity TO id`)
      await world.caughtUp()
      return world.differences()
    },
  },
  ...(['running', 'stopped'] as const).map(
    (when): Scenario => ({
      name: `tables: a column dropped and added again, worker ${when}`,
      expected:
        'the worker refuses to run and names the column: Cassandra hides what is stamped before the drop, so the table never heals',
      async play(world, random) {
        let worker = await filled(world, random)
        if (when === 'stopped') await world.stop()
        await world.stored.cql(`ALTER TABLE ${world.view} DROP note`)
        if (when === 'running') {
          await published(world, 500, random)
          await world.refusal(worker)
        }
        await world.stored.cql(`ALTER TABLE ${world.view} ADD note text`)
        if (when === 'stopped') worker = world.start()
        return refusedForGood(world, worker, /TABLE_MISMATCH.*column note was dropped/s)
      },
    }),
  ),
  {
    name: 'tables: a column added that nobody declared',
    expected: 'the worker goes on, and so does one that starts; the view is the fold of the log',
    async play(world, random) {
      await filled(world, random)
      await world.stored.cql(`ALTER TABLE ${world.view} ADD theirs text`)
      await published(world, 500, random)
      await world.caughtUp()
      await world.stop()
      world.start()
      await published(world, 500, random)
      await world.caughtUp()
      return world.differences()
    },
  },
  ...(['running', 'stopped'] as const).map(
    (when): Scenario => ({
      name: `tables: the view dropped and made again empty, worker ${when}`,
      expected: 'init refuses to make it, and every worker to fill it: what was folded before is gone',
      async play(world, random) {
        let worker = await filled(world, random)
        if (when === 'stopped') await world.stop()
        const remake = await remaking(world, world.view)
        await world.stored.cql(`DROP TABLE ${world.view}`)
        await published(world, 500, random)
        if (when === 'running')
          await until('the worker holds', async () => world.said(worker).includes('CASSANDRA_SCHEMA'))
        const { code, said } = await world.tidemark(['init', world.projection])
        await remake()
        if (when === 'stopped') worker = world.start()
        return [
          ...(code !== 0 && said.includes('VIEW_LOST') ? [] : [`init ended with ${code}: ${said}`]),
          ...(await refusedForGood(world, worker, /VIEW_LOST.*accounts_/s)),
        ]
      },
    }),
  ),
  ...['tm_dead_letters', 'tm_parked_events', 'tm_parked_scopes'].map(
    (table): Scenario => ({
      name: `tables: ${table} dropped with what it held and made again empty`,
      expected: 'every worker refuses to run: what was set aside is committed, and in no table any more',
      async play(world, random) {
        const worker = await filled(world, random)
        const differences = await setAside(world, random)
        await world.stored.cql(`DROP TABLE ${world.keyspace}.${table}`)
        await world.init()
        return [...differences, ...(await refusedForGood(world, worker, new RegExp(`VIEW_LOST.*${table}`, 's')))]
      },
    }),
  ),
  {
    name: 'tables: the keyspace dropped and made again empty',
    expected: 'the worker refuses to run: events are committed of which the view knows nothing',
    async play(world, random) {
      const worker = await filled(world, random)
      await world.stored.cql(`DROP KEYSPACE ${world.keyspace}`)
      await published(world, 500, random)
      await until('the worker holds', async () => world.said(worker).includes('CASSANDRA_SCHEMA'))
      await world.stop()
      await world.init()
      return refusedForGood(world, world.start(), /VIEW_LOST/)
    },
  },
  {
    name: 'cassandra: answers later than any timeout, and writes that arrive all the same',
    expected: 'the worker tries again; the view is the fold of the log',
    async play(world, random) {
      await filled(world, random)
      world.cassandra.weather({ delayMs: LATER_THAN_ANY_TIMEOUT_MS })
      await published(world, 500, random)
      await sleep(LATER_THAN_ANY_TIMEOUT_MS + 3_000)
      await published(world, 500, random)
      await sleep(3_000)
      world.cassandra.weather({})
      await world.caughtUp()
      return world.differences()
    },
  },
  {
    name: 'dead letters: events of a parked key arrive while its retry runs and the worker is killed',
    expected: 'what arrives waits or is applied in its order; the view is the fold of the log',
    async play(world, random) {
      await filled(world, random)
      const ids = ['a0', 'a1', 'a2']
      await world.publish(ids.map((id) => poison('handler', id, random)))
      await published(world, 600, random)
      await world.caughtUp()
      const worker = await world.heal()
      const arriving = (async () => {
        for (let piece = 0; piece < 30; piece++) {
          await world.publish(Array.from({ length: 20 }, () => sound(random)))
          await sleep(100)
        }
      })()
      const asked = world.tidemark([
        'dead-letters',
        'retry',
        '--all',
        '--projection',
        world.projection,
        '--wait',
        '60s',
      ])
      for (let time = 0; time < 3; time++) {
        await sleep(random.between(300, 1_500))
        worker.signal('SIGKILL')
      }
      await arriving
      const { code, said } = await asked
      await world.caughtUp()
      return [...(code === 0 ? [] : [`retry ended with ${code}: ${said}`]), ...(await world.differences())]
    },
  },
]
