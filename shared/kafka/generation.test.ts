import { expect, test } from 'vitest'
import { RecordingListener } from '../engine/contracts/listener.ts'
import { isKind } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import { Generation } from './generation.ts'
import { ScriptedConnection, ScriptedMembership } from './stand-ins.ts'

const source: Source = { topic: 't', partition: 0 }
const away = () => Promise.reject(Object.assign(new Error('away'), { type: 'COORDINATOR_NOT_AVAILABLE' }))
const never = () => new Promise<never>(() => {})

/** A generation that reads one partition of an empty log. */
function scene({ kept = [], busy }: { kept?: readonly Source[]; busy?: Promise<void> } = {}) {
  const connection = new ScriptedConnection([[0, 1]])
  const membership = new ScriptedMembership(connection)
  const listener = new RecordingListener()
  const place = {
    generation: 1,
    memberId: 'm',
    leads: false,
    sources: [source],
    kept: new Set(kept.map(sourceText)),
  }
  const generation = new Generation(
    connection,
    membership,
    place,
    listener,
    new Map(busy ? [[sourceText(source), busy]] : []),
  )
  return { membership, listener, generation }
}

test('a commit under way when the place is given up resolves: it is void, not a fault', async () => {
  const { membership, generation } = scene()
  membership.answer = never
  await generation.begin()
  const commit = generation.commit(source, 5)
  generation.end({ why: 'rebalance' })
  await generation.close(20)
  await expect(commit).resolves.toBeUndefined()
  await expect(generation.commit(source, 6)).resolves.toBeUndefined()
})

test('a commit is tried once, and then is the affair of whoever commits', async () => {
  const { membership, generation } = scene()
  membership.answer = away
  await generation.begin()
  const outcome = await generation.commit(source, 5).catch((error: unknown) => error)
  expect(isKind(outcome, 'transient')).toBe(true)
  membership.answer = async () => {}
  await generation.commit(source, 5)
  expect(membership.committed).toEqual(['0@5'])
  generation.end({ why: 'stop' })
  await generation.close(1_000)
})

test('the drain and the last commit share one deadline', async () => {
  const { membership, listener, generation } = scene()
  membership.answer = never
  listener.on.drain = never
  await generation.begin()
  void generation.commit(source, 5)
  generation.end({ why: 'stop' })
  const begun = performance.now()
  await generation.close(100)
  expect(performance.now() - begun).toBeLessThan(190)
})

test('what the drain commits is sent before the place is given up', async () => {
  const { membership, listener, generation } = scene()
  listener.on.drain = () => generation.commit(source, 7)
  await generation.begin()
  generation.end({ why: 'rebalance' })
  await generation.close(1_000)
  expect(membership.committed).toEqual(['0@7'])
})

test('a rebalance while the partitions are taken over is not held up: the listener drains at once', async () => {
  const { listener, generation } = scene()
  listener.on.assigned = never
  void generation.begin()
  await listener.until(() => listener.steps.includes('assigned'))
  generation.end({ why: 'rebalance' })
  const begun = performance.now()
  await generation.close(10_000)
  expect(listener.steps).toEqual(['assigned', 'drain', 'drained'])
  expect(performance.now() - begun).toBeLessThan(1_000)
})

test('a commit from before the partition was assigned is void: others may have had it meanwhile, and got further', async () => {
  const { membership, generation } = scene()
  const begun = generation.begin()
  await generation.commit(source, 3)
  await begun
  await generation.commit(source, 5)
  expect(membership.committed).toEqual(['0@5'])
  generation.end({ why: 'stop' })
  await generation.close(1_000)
})

test('a commit of a handler that was given its batch in an earlier membership is void', async () => {
  const handler = Promise.withResolvers<void>()
  const { membership, generation } = scene({ busy: handler.promise })
  await generation.begin()
  await generation.commit(source, 3)
  handler.resolve()
  await handler.promise
  await generation.commit(source, 5)
  expect(membership.committed).toEqual(['0@5'])
  generation.end({ why: 'stop' })
  await generation.close(1_000)
})

test('a partition that stayed this member’s all the while can be committed at any time', async () => {
  const { membership, generation } = scene({ kept: [source] })
  await generation.commit(source, 3)
  expect(membership.committed).toEqual(['0@3'])
})

/** Is it still pending after everything in memory has happened that does not wait for something else? */
async function pending(work: Promise<unknown>): Promise<boolean> {
  let ended = false
  void work.then(() => (ended = true))
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  return !ended
}

test('the place is not given up while a commit is under way that nobody waits for', async () => {
  const answer = Promise.withResolvers<void>()
  const { membership, listener, generation } = scene()
  membership.answer = () => answer.promise
  listener.on.drain = async () => void generation.commit(source, 7)
  await generation.begin()
  generation.end({ why: 'rebalance' })
  const closing = generation.close(60_000)
  expect(await pending(closing)).toBe(true)
  answer.resolve()
  await closing
})

test('the place is not given up while a handler of an earlier generation is at work', async () => {
  const handler = Promise.withResolvers<void>()
  const { generation } = scene({ kept: [source], busy: handler.promise })
  await generation.begin()
  generation.end({ why: 'rebalance' })
  const closing = generation.close(60_000)
  expect(await pending(closing)).toBe(true)
  handler.resolve()
  await closing
})
