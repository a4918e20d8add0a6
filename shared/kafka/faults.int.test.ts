import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { RecordingListener } from '../engine/contracts/listener.ts'
import { Signal } from '../engine/memory/signal.ts'
import { type Source, sourceText } from '../events/position.ts'
import { KafkaAdmin, KafkaLog, KafkaPublisher, KafkaSource } from './index.ts'
import { testSettings } from './testing.ts'

const settings = testSettings({ sessionTimeoutMs: 6_000 })
const admin = new KafkaAdmin(settings)
const log = new KafkaLog(settings)
const publisher = new KafkaPublisher(settings)
afterAll(() => Promise.all([admin.close(), log.close(), publisher.close()]))

const unique = (what: string) => `${what}_${crypto.randomUUID().slice(0, 13)}`
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => index + from)
const sources = (topic: string, count: number): Source[] => numbers(0, count).map((partition) => ({ topic, partition }))

async function newTopic(partitions: number, config: Record<string, string> = {}): Promise<string> {
  const topic = unique('fault')
  await admin.createTopics([{ name: topic, partitions, config }])
  onTestFinished(() => admin.deleteTopics([topic]))
  return topic
}

/** Publishes numbers as values, each with its own key. */
function publish(topic: string, from: number, to: number) {
  return publisher.publish(
    topic,
    numbers(from, to).map((number) => ({ key: `key-${number}`, value: String(number), headers: {} })),
  )
}

function member(group: string, topic: string, more: Partial<typeof settings> = {}, view?: string) {
  const source = new KafkaSource({ ...settings, ...more }, group, [topic], undefined, () => view)
  const listener = new RecordingListener()
  // What it handled of a partition that others have had since is no longer how far the group has got.
  listener.on.assigned = async (assignments) => {
    const kept = new Set(assignments.filter((one) => one.kept).map((one) => sourceText(one.source)))
    for (const name of listener.handled.keys()) if (!kept.has(name)) listener.handled.delete(name)
  }
  const count = (what: string) => listener.steps.filter((step) => step.endsWith(what)).length
  listener.on.drain = async () => {
    await listener.until(() => count(' begin') === count(' end'))
    await Promise.all(
      [...listener.handled].map(([name, next]) =>
        source.commit({ topic, partition: Number(name.split('/')[1]) }, next),
      ),
    )
  }
  onTestFinished(() => source.stop())
  return { source, listener }
}

const seen = (...listeners: RecordingListener[]) =>
  listeners.flatMap(({ batches }) => batches.flatMap(({ records }) => records.map(({ value }) => Number(value))))

/** A member in a process of its own. */
class Worker {
  readonly values: number[] = []
  owned: number[] = []
  readonly #child: ChildProcess
  readonly #signal: Signal
  readonly exited: Promise<number | null>

  constructor(group: string, topic: string, signal: Signal) {
    this.#signal = signal
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'member.process.ts'), group, topic], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve))
    void this.exited.then(() => signal.notify())
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#hear(JSON.parse(line)))
    onTestFinished(async () => {
      this.kill()
      await this.exited
    })
  }

  #hear({ assigned, values }: { assigned?: number[]; values?: number[] }): void {
    if (assigned) this.owned = assigned
    if (values) this.values.push(...values)
    this.#signal.notify()
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }
}

test('kill -9 of a member while events flow: another has its partitions within the session timeout, nothing is lost', async () => {
  const topic = await newTopic(6)
  const group = unique('group')
  const signal = new Signal()
  const first = new Worker(group, topic, signal)
  const second = new Worker(group, topic, signal)
  await signal.until(() => first.owned.length === 3 && second.owned.length === 3)
  let published = 0
  const flow = async (events: number) => {
    for (const end = published + events; published < end; published += 50)
      await publish(topic, published, published + 50)
  }
  await flow(1_000)
  await signal.until(() => first.values.length > 0 && second.values.length > 0)
  const killedAt = performance.now()
  first.kill()
  const flowing = flow(2_000)
  await signal.until(() => second.owned.length === 6)
  const seconds = (performance.now() - killedAt) / 1_000
  await flowing
  await signal.until(() => new Set([...first.values, ...second.values]).size === published)
  expect(seconds).toBeLessThan(9)
  second.kill('SIGTERM')
  expect(await second.exited).toBe(0)
  const committed = await log.committed(group, topic)
  expect(committed).toEqual(new Map([...(await log.bounds(topic))].map(([partition, { end }]) => [partition, end])))
})

test('a member that sleeps through its session is replaced, and can commit nothing when it wakes', async () => {
  const topic = await newTopic(4)
  const group = unique('group')
  const signal = new Signal()
  const sleeper = new Worker(group, topic, signal)
  await signal.until(() => sleeper.owned.length === 4)
  await publish(topic, 0, 200)
  await signal.until(() => sleeper.values.length === 200)
  sleeper.kill('SIGSTOP')
  const { source, listener } = member(group, topic)
  listener.follow(source)
  await listener.owns(sources(topic, 4))
  await publish(topic, 200, 400)
  await listener.until(() => new Set(seen(listener).filter((value) => value >= 200)).size === 200)
  await Promise.all(
    [...listener.handled].map(([name, next]) => source.commit({ topic, partition: Number(name.split('/')[1]) }, next)),
  )
  const committed = await log.committed(group, topic)
  const woken = sleeper.values.length
  sleeper.kill('SIGCONT')
  await listener.until(() => listener.owned.length === 2)
  await signal.until(() => sleeper.owned.length === 2)
  expect(await log.committed(group, topic)).toEqual(committed)
  // Nothing new is there, so what it was given after it woke can only have been fetched before it knew.
  expect(sleeper.values.slice(woken).every((value) => value >= 200)).toBe(true)
  sleeper.kill('SIGTERM')
  expect(await sleeper.exited).toBe(0)
  await listener.owns(sources(topic, 4))
})

test('a storm of members that come and go: every event is delivered, each partition is read in order by one member at a time', async () => {
  const topic = await newTopic(12)
  const group = unique('group')
  const readers = new Map<string, number>()
  let together = 0
  const listeners: RecordingListener[] = []
  const join = () => {
    const one = member(group, topic)
    one.listener.on.records = async ({ source }) => {
      const name = sourceText(source)
      readers.set(name, (readers.get(name) ?? 0) + 1)
      together = Math.max(together, readers.get(name)!)
      await new Promise((resolve) => setImmediate(resolve))
      readers.set(name, readers.get(name)! - 1)
    }
    one.listener.follow(one.source)
    listeners.push(one.listener)
    return one
  }
  const stay = join()
  await stay.listener.owns(sources(topic, 12))
  let published = 0
  for (const round of numbers(0, 4)) {
    const guests = numbers(0, 3).map(join)
    for (const end = published + 1_000; published < end; published += 100)
      await publish(topic, published, published + 100)
    await Promise.all(
      guests.slice(0, 1 + (round % 3)).map(({ listener }) => listener.until(() => listener.generations.length > 0)),
    )
    await Promise.all(guests.map(({ source }) => source.stop()))
  }
  await stay.listener.owns(sources(topic, 12))
  await stay.listener.until(() => new Set(seen(...listeners)).size === published)
  expect(together).toBe(1)
  // Everything delivered was drained and committed before it was handed over, so nothing was delivered twice.
  expect(seen(...listeners)).toHaveLength(published)
})

test('a member whose handlers are all stuck for longer than the session timeout keeps its place', async () => {
  const topic = await newTopic(3)
  const { source, listener } = member(unique('group'), topic)
  const gate = Promise.withResolvers<void>()
  onTestFinished(() => gate.resolve())
  listener.on.records = () => gate.promise
  listener.follow(source)
  await listener.owns(sources(topic, 3))
  await publish(topic, 0, 300)
  await listener.until(() => listener.batches.length === 3)
  await publish(topic, 300, 600)
  await new Promise((resolve) => setTimeout(resolve, 9_000)) // the session timeout is 6 s: what must not happen takes time
  expect(listener.generations).toHaveLength(1)
  gate.resolve()
  await listener.until(() => seen(listener).length === 600)
})

test('a drain that takes longer than the session timeout is waited for; one longer than the rebalance timeout is not', async () => {
  const topic = await newTopic(2)
  const group = unique('group')
  const first = member(group, topic, { rebalanceTimeoutMs: 14_000 })
  const drains: PromiseWithResolvers<void>[] = []
  first.listener.on.drain = () => {
    drains.push(Promise.withResolvers())
    return drains.at(-1)!.promise
  }
  onTestFinished(() => {
    for (const { resolve } of drains) resolve()
  })
  first.listener.follow(first.source)
  await first.listener.owns(sources(topic, 2))
  const second = member(group, topic)
  second.listener.follow(second.source)
  await first.listener.until(() => drains.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 8_000)) // longer than the session timeout
  expect(second.listener.generations).toHaveLength(0)
  drains[0]!.resolve()
  await second.listener.until(() => second.listener.owned.length === 1)
  await first.listener.until(() => first.listener.owned.length === 1)
  // The second drain never ends by itself: after the deadline the group goes on, and this member with it.
  const third = member(group, topic)
  third.listener.follow(third.source)
  await first.listener.until(() => drains.length === 2)
  await first.listener.until(() => first.listener.generations.length === 3)
  await Promise.race(
    [first, second, third].map(({ listener }) =>
      listener.until(
        () => first.listener.owned.length + second.listener.owned.length + third.listener.owned.length === 2,
      ),
    ),
  )
})

test('what retention removed before it was read is told, as a commit below the log start', async () => {
  const topic = await newTopic(1)
  const group = unique('group')
  await publish(topic, 0, 100)
  const before = member(group, topic)
  before.listener.follow(before.source)
  await before.listener.until(() => seen(before.listener).length === 100)
  await before.source.commit({ topic, partition: 0 }, 10)
  before.listener.on.drain = async () => {}
  await before.source.stop()
  await admin.truncate(topic, new Map([[0, 60]]))
  const after = member(group, topic)
  after.listener.follow(after.source)
  await after.listener.until(() => seen(after.listener).length === 40)
  expect(after.listener.generations[0]).toEqual([
    { source: { topic, partition: 0 }, kept: false, start: 60, committed: 10, logStart: 60, end: 100 },
  ])
  expect(seen(after.listener)).toEqual(numbers(60, 100))
})

test('retention that overtakes a reader: it is told by a new generation, and reads on at the log start', async () => {
  const topic = await newTopic(1)
  await publish(topic, 0, 100)
  const { source, listener } = member(unique('group'), topic, { fetchBytesPerPartition: 1, fetchBytes: 1 })
  const gate = Promise.withResolvers<void>()
  onTestFinished(() => gate.resolve())
  listener.on.records = () => gate.promise
  for (const number of numbers(100, 110)) await publish(topic, number, number + 1)
  listener.follow(source)
  await listener.until(() => listener.batches.length === 1)
  await admin.truncate(topic, new Map([[0, 109]]))
  gate.resolve()
  await listener.until(() => seen(listener).includes(109))
  const told = listener.generations.at(-1)![0]!
  expect([told.start, told.logStart]).toEqual([109, 109])
  expect(told.committed).toBeLessThan(109)
})

test('partitions that are added are read, after a drain', async () => {
  const topic = await newTopic(1)
  const { source, listener } = member(unique('group'), topic, { metadataAgeMs: 500 })
  listener.follow(source)
  await listener.owns(sources(topic, 1))
  await admin.addPartitions(topic, 3)
  await listener.owns(sources(topic, 3))
  expect(listener.steps.filter((step) => step === 'drained')).toHaveLength(1)
})

test('events too large for the topic are refused by name, smaller ones beside them are split until they fit', async () => {
  const topic = await newTopic(1, { 'max.message.bytes': '20000' })
  const records = numbers(0, 60).map((number) => ({
    key: `k${number}`,
    value: `${number}`.padStart(1_000, '.'),
    headers: {},
  }))
  const positions = await publisher.publish(topic, records)
  expect(positions.map(({ offset }) => offset)).toEqual(numbers(0, 60))
  await expect(
    publisher.publish(topic, [{ key: 'huge', value: 'x'.repeat(30_000), headers: {} }]),
  ).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
  await expect(
    publisher.publish(topic, [{ key: 'huge', value: 'x'.repeat(2_000_000), headers: {} }]),
  ).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
  expect((await publisher.publish(topic, [{ key: 'k', value: 'after', headers: {} }]))[0]?.offset).toBe(60)
})

test('who writes into another view gets no partition of the group, beside the others and after them', async () => {
  const topic = await newTopic(4)
  const group = unique('views')
  const [first, older, second, later, again] = [
    member(group, topic, {}, 'view-1'),
    member(group, topic),
    member(group, topic, {}, 'view-2'),
    member(group, topic, {}, 'view-2'),
    member(group, topic, {}, 'view-1'),
  ]
  const running = first.source.run(first.listener)
  await first.listener.until(() => first.listener.generations.length > 0)
  await expect(second.source.run(second.listener)).rejects.toMatchObject({ code: 'GROUP_SHARED' })
  // A release that does not say where it writes takes part, as in a rolling update.
  const beside = older.source.run(older.listener)
  await older.listener.until(() => older.listener.generations.some((sources) => sources.length > 0))
  await publish(topic, 0, 40)
  const all = () => older.listener.batches.length > 0 && new Set(seen(first.listener, older.listener)).size === 40
  await Promise.race([first.listener.until(all), older.listener.until(all)])
  await older.source.stop()
  await beside
  await first.source.stop()
  await running

  // The first is away; what it committed says where it went. Events that nobody has read yet would tell if one were delivered.
  await publish(topic, 40, 80)
  await expect(later.source.run(later.listener)).rejects.toMatchObject({ code: 'GROUP_SHARED' })
  expect(seen(later.listener)).toEqual([])
  const resumed = again.source.run(again.listener)
  await again.listener.until(() => seen(again.listener).filter((number) => number >= 40).length === 40)
  await again.source.stop()
  await resumed
}, 60_000)
