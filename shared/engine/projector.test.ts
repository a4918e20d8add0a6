import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogRecord } from '../events/event.ts'
import { parsePosition, positionText } from '../events/position.ts'
import { arena } from '../testing/arena.ts'
import { plainFold } from '../testing/plain-fold.ts'
import type { MemoryLog } from './memory/log.ts'
import type { Gate } from './memory/store.ts'
import type { Scope } from './ports.ts'

async function wholeLog(kafka: MemoryLog) {
  const bounds = await kafka.log.bounds('operations')
  return Promise.all(
    [...bounds].map(async ([partition, { start, end }]) => {
      const source = { topic: 'operations', partition }
      const records: LogRecord[] = []
      for await (const piece of kafka.log.read(source, start, end)) records.push(...piece)
      return { source, records }
    }),
  )
}

function stored(stores: ReturnType<typeof arena>['stores']) {
  return new Map([...stores.view.rows].flatMap(([id, parts]) => parts.map((part) => [id, part] as const)))
}

test('events become rows, and the offset is committed after them', async () => {
  const { start, publish, kafka, stores, finish, commits } = arena()
  start()
  for (let i = 0; i < 50; i++) await publish('Added', { id: `r${i % 7}`, by: i })
  await publish('Noted', { id: 'r1', note: 'hello' })
  await publish('Removed', { id: 'r2' })
  await finish()
  const { rows } = plainFold(await wholeLog(kafka), 'poison')
  expect(stored(stores)).toEqual(rows)
  expect(commits.length).toBeGreaterThan(0)
})

test('a poison event holds up its own row only, and its successors wait in order', async () => {
  const { start, publish, kafka, stores, finish, letters } = arena()
  start()
  await publish('Added', { id: 'a', by: 1 })
  await publish('Noted', { id: 'a', note: 'poison' })
  await publish('Added', { id: 'a', by: 2 })
  await publish('Copied', { id: 'a', to: 'b' })
  await publish('Added', { id: 'b', by: 3 })
  await finish()
  const { rows, parked } = plainFold(await wholeLog(kafka), 'poison')
  expect(stored(stores)).toEqual(rows)
  expect(letters.map(({ scope, code }) => [scope, code])).toEqual([['row:a', 'HANDLER_FAILED']])
  expect(parked.get('row:a')).toHaveLength(3)
})

test('a drain during a flush does not commit what the next flush has yet to write', async () => {
  const { start, publish, stores, finish, kafka } = arena()
  const { projector } = start()
  const gate = stores.faults.hold('after', 'view.write')
  await publish('Added', { id: 'r', by: 1 })
  await gate.waiting(1)
  await publish('Added', { id: 'r', by: 2 })
  stores.faults.failNext(2)
  void projector.stop('test')
  gate.open()
  await finish()
  expect(stored(stores)).toEqual(plainFold(await wholeLog(kafka), 'poison').rows)
})

/** What the store holds behind a dead letter, as positions. */
async function waiting(
  { deadLetters }: ReturnType<typeof arena>['stores'],
  scope: Scope,
  since: string,
): Promise<string[]> {
  const { offset, ...source } = parsePosition(since)!
  const found: string[] = []
  for await (const piece of deadLetters.events(source, scope, offset))
    found.push(...piece.map((record) => positionText({ ...source, offset: record.offset })))
  return found
}

test('a worker that is stopped in good order leaves nothing to be done again', async () => {
  const { start, publish, kafka, stores, projection } = arena({ settings: { flushIntervalMs: 1_000_000 } })
  const worker = start()
  for (let i = 0; i < 20; i++) await publish('Added', { id: `r${i % 3}`, by: i })
  await kafka.settled()
  const gate = stores.faults.hold('before', 'view.write')
  for (let i = 0; i < 20; i++) await publish('Added', { id: `r${i % 3}`, by: i })
  await gate.waiting(1)
  const stopped = worker.projector.stop('test')
  gate.open()
  await stopped
  const committed = await kafka.log.committed(`${projection.name}.v1`, 'operations')
  const { rows } = plainFold(await wholeLog(kafka), 'poison')
  for (const { source, position } of stored(stores).values()) {
    expect(committed.get(Number(source.split('/')[1]))).toBeGreaterThan(position)
  }
  expect(Math.max(...[...stored(stores).values()].map(({ position }) => position))).toBeLessThanOrEqual(
    Math.max(...[...rows.values()].map(({ position }) => position)),
  )
})

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      type: fc.constantFrom('Added', 'Added', 'Noted', 'NoteCleared', 'Removed', 'Copied'),
      id: fc.nat(4),
      value: fc.nat(9),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'start',
        'stop',
        'crash',
        'evict',
        'rejoin',
        'settle',
        'settle',
        'garbage',
        'gap',
        'hold',
        'open',
      ),
      id: fc.nat(4),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      calls: fc.integer({ min: 1, max: 4 }),
      applied: fc.constantFrom('none', 'some', 'all'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('failCommits' as const), calls: fc.integer({ min: 1, max: 3 }) }),
  },
)

test('whatever happens to workers, Kafka and Cassandra, the view is the fold of the log', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 120, size: 'max' }),
      fc.nat(),
      fc.boolean(),
      async (steps, seed, small) => {
        const world = arena({
          seed: seed + 1,
          batch: small ? 1 : 5,
          settings: { sampleReads: { first: 0, oneIn: 1_000 }, ...(small ? { workingSetBytes: 1, flushRows: 2 } : {}) },
        })
        const { kafka, stores, workers, publish } = world
        world.start()
        const gone = new Set<unknown>()
        const gates: Gate[] = []
        for (const step of steps) {
          const living = workers.filter((worker) => !gone.has(worker))
          const worker = living['id' in step ? step.id % living.length : 0]
          if (step.do === 'crash' || step.do === 'stop') gone.add(worker)
          if (step.do === 'publish') {
            const note = ['poison', 'fine', 'well', 'good', 'fair', 'ok', 'yes', 'so', 'on', 'in'][step.value]!
            await publish(step.type as 'Added', { id: `r${step.id}`, by: step.value, note, to: 'x' })
          } else if (step.do === 'start') world.start()
          else if (step.do === 'stop') void worker?.projector.stop('test')
          else if (step.do === 'crash') worker?.member.crash()
          else if (step.do === 'evict') worker?.member.evict()
          else if (step.do === 'rejoin') worker?.member.rejoin()
          else if (step.do === 'fail') stores.faults.failNext(step.calls, { applied: step.applied as 'some' })
          else if (step.do === 'failCommits') worker?.member.failCommits(step.calls)
          else if (step.do === 'hold') gates.push(stores.faults.hold(step.id % 2 ? 'before' : 'after', 'view.write'))
          else if (step.do === 'open') gates.pop()?.open()
          else if (step.do === 'garbage')
            kafka.append({ topic: 'operations', partition: step.id % 3 }, [
              { key: Buffer.from(`g${step.id}`), value: Buffer.from('{') },
            ])
          else if (step.do === 'gap') kafka.skip({ topic: 'operations', partition: step.id % 3 }, 2)
          else await new Promise((resolve) => setImmediate(resolve))
        }
        for (const gate of gates) gate.open()
        await world.finish()
        const { rows, parked } = plainFold(await wholeLog(kafka), 'poison')
        expect(stored(stores)).toEqual(rows)
        // Exactly one dead letter per poison event and row, and everything behind it waiting in order.
        const dead = stores.deadLetters.letters.map(
          ({ source, record }) => `operations/${source.partition}/${record.offset}`,
        )
        expect(dead.sort()).toEqual([...parked.values()].map(([first]) => first).sort())
        for (const [scope, positions] of parked) expect(await waiting(stores, scope, positions[0]!)).toEqual(positions)
        for (const { source, next, journal } of world.commits) {
          const ahead = stores.journal
            .slice(journal)
            .filter((entry) => entry.operation === 'view.write' && entry.source === source && entry.offset < next)
          const durable = new Set(
            stores.journal
              .slice(0, journal)
              .filter((entry) => entry.operation === 'view.write' && entry.source === source)
              .map(({ id, offset }) => `${id} ${offset}`),
          )
          // What is written after the commit and lies below it can only be a repetition of what was durable, or older than that.
          for (const { id, offset } of ahead) {
            const newest = Math.max(
              -1,
              ...[...durable]
                .filter((entry) => entry.startsWith(`${id} `))
                .map((entry) => Number(entry.split(' ').pop())),
            )
            expect(newest).toBeGreaterThanOrEqual(offset)
          }
        }
      },
    ),
    {
      numRuns: Number(process.env.RUNS ?? 300),
      timeout: 1_500,
      interruptAfterTimeLimit: 40_000,
      endOnFailure: !!process.env.QUICK,
    },
  )
}, 60_000)
