import { expect, onTestFinished, test, vi } from 'vitest'
import { Signal } from '../engine/memory/signal.ts'
import type { RecordBatch } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import type { Fetched } from './fetch.ts'
import { type Fetch, Fetching } from './fetching.ts'
import type { Ending } from './generation.ts'
import { Lane } from './lane.ts'
import { KeptLog, ScriptedConnection } from './stand-ins.ts'

const NOT_LEADER = 6
const OFFSET_OUT_OF_RANGE = 1
const source = (partition: number): Source => ({ topic: 't', partition })
const batch = (partition: number, next: number): RecordBatch => ({
  source: source(partition),
  records: [],
  next,
  end: 9,
})
const empty: Omit<Fetched, 'source' | 'offset'> = {
  errorCode: 0,
  records: [],
  next: undefined,
  end: 0,
  stable: 0,
  logStart: 0,
  unreadable: undefined,
}

/** Partitions of brokers that answer when the test says so. */
class Scene {
  readonly connection: ScriptedConnection
  readonly lanes = new Map<string, Lane>()
  readonly fetching: Fetching
  readonly endings: Ending[] = []
  /** Fetches so far, as `2: 0 1` (node, partitions). */
  readonly fetches: string[] = []
  readonly logger = new KeptLog()
  readonly signal = new Signal()
  #begun = false
  /** What one partition of a fetch finds. */
  find: (partition: number, offset: number) => Partial<Fetched> = () => ({})
  /** What a fetch waits for. */
  hold: (node: number) => Promise<unknown> = () => new Promise(setImmediate)

  constructor(leaders: readonly (readonly [number, number])[], handle: (batch: RecordBatch) => Promise<void>) {
    this.connection = new ScriptedConnection(leaders, this.logger)
    const fetch: Fetch = async (node, wanted) => {
      this.fetches.push(`${node}: ${wanted.map(({ source: { partition } }) => partition).join(' ')}`)
      this.signal.notify()
      await this.hold(node)
      return wanted.map((want) => ({ ...empty, ...want, ...this.find(want.source.partition, want.offset) }))
    }
    this.fetching = new Fetching(this.connection, this.lanes, (ending) => this.endings.push(ending), fetch)
    for (const [partition] of leaders) {
      const own = source(partition)
      this.lanes.set(sourceText(own), new Lane(own, 0, handle, () => this.#begun && this.fetching.wake()))
    }
    onTestFinished(() => this.fetching.end())
  }

  begin(): void {
    this.#begun = true
    this.fetching.wake()
  }

  lane(partition: number): Lane {
    return this.lanes.get(`t/${partition}`)!
  }

  /** One batch at work and two that wait: no room. */
  fill(partition: number): void {
    for (let offset = 0; offset < 3; offset++) this.lane(partition).push(offset, batch(partition, offset + 1))
  }

  /** Resolves when this was fetched, from now on. */
  fetched(fetch: string): Promise<void> {
    const from = this.fetches.length
    return this.signal.until(() => this.fetches.includes(fetch, from))
  }
}

test('a partition whose leader moved while it had no room is fetched from the new leader', async () => {
  const gate = Promise.withResolvers<void>()
  const scene = new Scene([[0, 1]], () => gate.promise)
  scene.fill(0)
  scene.begin()
  expect(scene.fetches).toEqual([])
  scene.connection.leaders.set(0, 2)
  gate.resolve()
  await scene.fetched('2: 0')
})

test('a partition whose leader moves during a fetch, and one that gets room meanwhile, are fetched from the new leader', async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const answer = Promise.withResolvers<void>()
  const scene = new Scene(
    [
      [0, 1],
      [1, 1],
      [2, 2],
    ],
    ({ source: { partition } }) => (partition === 0 ? gates[0]!.promise : gates[1]!.promise),
  )
  scene.fill(0)
  scene.fill(2)
  scene.hold = (node) => (node === 1 ? answer.promise : new Promise(setImmediate))
  scene.begin()
  expect(scene.fetches).toEqual(['1: 1'])
  gates[0]!.resolve()
  await new Promise(setImmediate)
  scene.connection.leaders.set(0, 2).set(1, 2)
  const moved = scene.fetched('2: 0 1')
  answer.resolve()
  await moved
  expect(scene.fetches.filter((fetch) => fetch.startsWith('1'))).toEqual(['1: 1'])
})

test('a partition is not fetched twice at a time while its leader moves', async () => {
  const answer = Promise.withResolvers<void>()
  const scene = new Scene(
    [
      [0, 1],
      [1, 2],
    ],
    async () => {},
  )
  scene.hold = (node) => (node === 1 ? answer.promise : new Promise(setImmediate))
  scene.begin()
  scene.connection.leaders.set(0, 2)
  await scene.fetched('2: 1')
  expect(scene.fetches).not.toContain('2: 0 1')
  answer.resolve()
  await scene.fetched('2: 0 1')
})

test('an error of one partition slows down no other of its broker', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const scene = new Scene(
    [
      [0, 1],
      [1, 1],
    ],
    async () => {},
  )
  scene.find = (partition) => (partition === 0 ? { errorCode: NOT_LEADER } : {})
  scene.begin()
  await scene.signal.until(() => scene.fetches.length === 50)
  expect(new Set(scene.fetches.slice(1))).toEqual(new Set(['1: 1']))
  expect(scene.endings).toEqual([])
})

test('after an error of its own a partition is looked for anew, and fetched where it is found', async () => {
  const scene = new Scene([[0, 1]], async () => {})
  scene.find = () => (scene.fetches.length === 1 ? { errorCode: NOT_LEADER } : {})
  scene.begin()
  scene.connection.leaders.set(0, 2)
  await scene.fetched('2: 0')
  expect(scene.connection.refreshed).toBe(1)
})

test('a partition that can not be read is held and says why, the others go on and nothing ends', async () => {
  const handled = new Set<number>()
  const scene = new Scene(
    [
      [0, 1],
      [1, 1],
    ],
    async ({ source: { partition } }) => void handled.add(partition),
  )
  const unreadable = new TidemarkError('CODEC_MISSING', 't/0 from offset 0 on: made up')
  scene.find = (partition) => (partition === 0 ? { unreadable } : { records: [], next: scene.lane(1).position + 1 })
  scene.begin()
  await scene.signal.until(() => scene.fetches.length === 20)
  expect([...handled]).toEqual([1])
  expect(scene.endings).toEqual([])
  const [line, ...more] = scene.logger.lines.filter((text) => text.includes('held'))
  expect(more).toEqual([])
  expect(line).toContain('t/0')
  expect(line).toContain('CODEC_MISSING')
})

const record = (offset: number, value: string) => ({
  offset,
  timestamp: 0,
  key: null,
  value: Buffer.from(value),
  headers: {},
})

test('where every fetch is slow, and an answer has room for one batch, each record is still delivered once', async () => {
  const begun = performance.now()
  const now = vi.spyOn(performance, 'now')
  onTestFinished(() => void now.mockRestore())
  let fetches = 0
  now.mockImplementation(() => begun + fetches * 350)
  const log = Array.from({ length: 20 }, (_, offset) => record(offset, 'x'))
  const handled: number[] = []
  const scene = new Scene([[0, 1]], async ({ records }) => void handled.push(...records.map(({ offset }) => offset)))
  scene.find = (_, from) => {
    fetches++
    const records = log.slice(from, from + 1)
    return { records, next: records.length > 0 ? from + 1 : undefined, end: log.length }
  }
  scene.begin()
  await scene.signal.until(() => handled.length === log.length)
  expect(handled).toEqual(log.map(({ offset }) => offset))
  expect(fetches).toBeLessThanOrEqual(2 * log.length + 1)
})

test('a log that has become shorter than what was read is looked at anew', async () => {
  const now = vi.spyOn(performance, 'now')
  onTestFinished(() => void now.mockRestore())
  const handled: number[] = []
  const scene = new Scene([[0, 1]], async ({ records }) => void handled.push(...records.map(({ offset }) => offset)))
  scene.find = (_, from) =>
    from === 0 ? { records: [0, 1, 2].map((offset) => record(offset, 'x')), next: 3, end: 3 } : {}
  scene.begin()
  await scene.signal.until(() => handled.length === 3)
  scene.find = () => ({ errorCode: OFFSET_OUT_OF_RANGE })
  now.mockReturnValue(performance.now() + 2_000)
  await scene.signal.until(() => scene.endings.length > 0)
  expect(scene.endings[0]).toEqual({ why: 'moved' })
})

test('records of another log of the same name are not delivered, even if nobody saw the topic go', async () => {
  const now = vi.spyOn(performance, 'now')
  onTestFinished(() => void now.mockRestore())
  const handled: number[] = []
  const log = ['a', 'b', 'c'].map((value, offset) => record(offset, value))
  const scene = new Scene([[0, 1]], async ({ records }) => void handled.push(...records.map(({ offset }) => offset)))
  scene.find = (_, from) => {
    const records = log.slice(from)
    return { records, next: records.length > 0 ? log.length : undefined, end: log.length }
  }
  scene.begin()
  await scene.signal.until(() => handled.length === 3)
  // Nobody looked for a while, and the log is the same and longer.
  log.push(record(3, 'd'))
  now.mockReturnValue(performance.now() + 2_000)
  await scene.signal.until(() => handled.length === 4)
  expect(handled).toEqual([0, 1, 2, 3])
  expect(scene.endings).toEqual([])
  log.splice(0, 4, ...['w', 'x', 'y', 'z', 'zz'].map((value, offset) => record(offset, value)))
  now.mockReturnValue(performance.now() + 2_000)
  await scene.signal.until(() => scene.endings.length > 0)
  expect(scene.endings[0]).toEqual({ why: 'moved' })
  expect(handled).toEqual([0, 1, 2, 3])
})
