import { expect, test } from 'vitest'
import { RecordingListener } from '../contracts/listener.ts'
import { memoryLog } from './log.ts'

const [zero, one] = [
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
]
const text = (value: string) => ({ value: Buffer.from(value) })

function scene(partitions = 2) {
  const memory = memoryLog({ now: () => 1_000 })
  memory.createTopic('t', partitions)
  const member = (prepare: (listener: RecordingListener) => void = () => {}) => {
    const source = memory.source('g', ['t'])
    const listener = new RecordingListener()
    prepare(listener)
    listener.follow(source)
    return { source, listener }
  }
  return { memory, member }
}

test('a member that crashes is not drained, and another reads on from its last commit', async () => {
  const { memory, member } = scene()
  memory.append(zero, [text('a'), text('b')])
  const first = member()
  await memory.settled()
  await first.source.commit(zero, 1)
  first.source.crash()
  const second = member()
  await memory.settled()
  await first.source.commit(zero, 2)
  expect(first.listener.steps).not.toContain('drain')
  expect(first.listener.outcome).toBeUndefined()
  expect(second.listener.values(zero)).toEqual(['b'])
  expect(await memory.log.committed('g', 't')).toEqual(new Map([[0, 1]]))
})

test('an evicted member is a zombie: it is delivered records, its commits do nothing, and it can join again', async () => {
  const { memory, member } = scene()
  const first = member()
  await memory.settled()
  first.source.evict()
  const second = member()
  await memory.settled()
  memory.append(zero, [text('a')])
  await memory.settled()
  await first.listener.until(() => first.listener.count === 1)
  await first.source.commit(zero, 1)
  expect(second.listener.values(zero)).toEqual(['a'])
  expect(await memory.log.committed('g', 't')).toEqual(new Map())
  first.source.rejoin()
  await memory.settled()
  expect([...first.listener.owned, ...second.listener.owned].sort()).toEqual(['t/0', 't/1'])
})

test('an abnormal rejoin begins a generation with a handler in flight, and the partition waits for it', async () => {
  const { memory, member } = scene(1)
  const gate = Promise.withResolvers<void>()
  memory.append(zero, [text('a')])
  const { source, listener } = member(({ on }) => {
    on.records = () => gate.promise
  })
  await listener.until(() => listener.count === 1)
  source.rejoin()
  await listener.until(() => listener.generations.length === 2)
  expect(listener.steps).toEqual(['assigned', 'ready', 't/0 begin', 'assigned', 'ready'])
  gate.resolve()
  await memory.settled()
  expect(listener.values(zero)).toEqual(['a', 'a'])
})

test('a drain that does not come back is waited for until the deadline', async () => {
  const { memory } = scene(1)
  const listener = new RecordingListener()
  listener.on.drain = () => new Promise(() => {})
  const source = memory.source('g', ['t'], { drainDeadline: 1 })
  listener.follow(source)
  await memory.settled()
  await source.stop()
  expect(listener.outcome).toEqual({})
})

test('retention, gaps, re-created topics and added partitions are seen in assignments and batches', async () => {
  const { memory, member } = scene(1)
  memory.append(zero, ['a', 'b', 'c'].map(text))
  memory.skip(zero, 2)
  const first = member()
  await memory.settled()
  expect(first.listener.batches.map(({ next, end }) => [next, end])).toEqual([[5, 5]])
  await first.source.commit(zero, 1)
  await first.source.stop()
  memory.truncate(zero, 2)
  const second = member()
  await memory.settled()
  expect(second.listener.generations[0]).toEqual([
    { source: zero, kept: false, start: 2, committed: 1, logStart: 2, end: 5 },
  ])
  memory.addPartitions('t', 1)
  memory.append(one, [text('new')])
  await memory.settled()
  expect(second.listener.values(one)).toEqual(['new'])
  memory.recreateTopic('t', 1)
  await memory.settled()
  expect(second.listener.generations.at(-1)).toEqual([
    { source: zero, kept: true, start: 0, committed: undefined, logStart: 0, end: 0 },
  ])
})

test('commits fail as often as they are told to', async () => {
  const { memory, member } = scene(1)
  const { source } = member()
  await memory.settled()
  source.failCommits(1)
  await expect(source.commit(zero, 0)).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
  await expect(source.commit(zero, 0)).resolves.toBeUndefined()
})
