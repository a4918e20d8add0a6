import { expect, test } from 'vitest'
import { arena, type Dislikes } from '../testing/arena.ts'
import type { Request } from './ports.ts'
import { keyScope } from './set-aside.ts'

const log = async (world: ReturnType<typeof arena>) =>
  [...(world.stores.view.rows.get('a') ?? [])].map(({ row }) => row?.log)

/** A world in which row `a` waits behind its second event, with two events behind it. */
async function parked(dislikes: Dislikes = { note: 'poison' }) {
  const world = arena({ dislikes, settings: { requestPollMs: 1 } })
  const worker = world.start()
  await world.publish('Added', { id: 'a', by: 1 })
  const [position] = await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.publish('Added', { id: 'a', by: 2 })
  await world.publish('Added', { id: 'a', by: 3 })
  await world.caughtUp()
  const source = { topic: 'operations', partition: position!.partition }
  const request = (action: Request['action'], over: Partial<Request> = {}): Request => ({
    id: `r-${action}`,
    action,
    source,
    scope: 'row:a',
    offset: position!.offset,
    ...over,
  })
  const ask = async (wanted: Request) => {
    await world.stores.deadLetters.ask(wanted)
    for (;;) {
      const outcome = await world.stores.deadLetters.outcome(source, wanted.id)
      if (outcome) return outcome
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { world, worker, source, request, ask, offset: position!.offset }
}

test('retry applies the dead letter and what waits behind it, in log order', async () => {
  const dislikes = { note: 'poison' as string | undefined }
  const { world, ask, request, source } = await parked(dislikes)
  expect(await log(world)).toEqual(['|e0'])
  dislikes.note = undefined
  expect(await ask(request('retry'))).toMatchObject({ done: true })
  expect(await log(world)).toEqual(['|e0|e1|e2|e3'])
  expect((await world.stores.deadLetters.load(source)).parked.size).toBe(0)
  expect(world.stores.deadLetters.letters.map(({ state }) => state)).toEqual(['applied'])
  await world.publish('Added', { id: 'a', by: 4 })
  await world.finish()
  expect(await log(world)).toEqual(['|e0|e1|e2|e3|e4'])
})

test('what was decided stays so, whatever is asked afterwards', async () => {
  const dislikes = { note: 'poison' as string | undefined }
  const { world, ask, request } = await parked(dislikes)
  dislikes.note = undefined
  await ask(request('retry'))
  expect(await ask(request('skip'))).toMatchObject({ done: true, message: expect.stringContaining('applied already') })
  expect(world.stores.deadLetters.letters.map(({ state }) => state)).toEqual(['applied'])
  const other = await parked()
  await other.ask(other.request('skip'))
  await other.ask(other.request('retry'))
  expect(other.world.stores.deadLetters.letters.map(({ state }) => state)).toEqual(['skipped'])
  await Promise.all([world.finish(), other.world.finish()])
})

test('a scope whose dead letter another worker has skipped before it ended is freed by the owner', async () => {
  const { world, source, offset } = await parked()
  await world.stores.deadLetters.resolve(source, 'row:a', offset, 'skipped', offset)
  while (world.stores.deadLetters.unsettled) await new Promise((resolve) => setImmediate(resolve))
  expect(await log(world)).toEqual(['|e0|e2|e3'])
  await world.finish()
})

test('what a zombie has set aside behind a letter that is out of the way is freed, although nothing waits for the owner', async () => {
  const { world, source, offset, ask, request } = await parked()
  await ask(request('skip'))
  const events = [
    {
      scope: 'row:a' as const,
      since: offset,
      record: { offset: offset + 1, timestamp: 0, key: null, value: null, headers: {} },
    },
  ]
  await world.stores.deadLetters.record(source, [], events)
  while (world.stores.deadLetters.unsettled) await new Promise((resolve) => setImmediate(resolve))
  expect(await log(world)).toEqual(['|e0|e2|e3'])
  await world.finish()
})

test('what a skip has applied does not wait any more, although its worker ended before it let go and a later event is poison', async () => {
  const { world, worker, request, source, offset } = await parked()
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.publish('Added', { id: 'a', by: 4 })
  await world.caughtUp()
  const release = world.stores.faults.hold('before', 'deadLetters.release')
  await world.stores.deadLetters.ask(request('skip'))
  await release.waiting(1)
  worker.member.crash()
  for (const call of release.calls) call.fail()
  release.open()
  world.start()
  while (!(await world.stores.deadLetters.outcome(source, 'r-skip')))
    await new Promise((resolve) => setImmediate(resolve))
  expect(await log(world)).toEqual(['|e0|e2|e3'])
  const waiting: number[] = []
  for await (const records of world.stores.deadLetters.events(source, 'row:a', 0))
    waiting.push(...records.map((record) => record.offset - offset))
  expect(waiting).toEqual([3, 4])
  await world.finish()
})

test('a retry that fails again changes nothing and says why', async () => {
  const { world, ask, request } = await parked()
  const { done, message } = await ask(request('retry'))
  expect(done).toBe(false)
  expect(message).toMatch(/still fails: HANDLER_FAILED/)
  await world.publish('Added', { id: 'a', by: 4 })
  await world.finish()
  expect(await log(world)).toEqual(['|e0'])
  expect(world.stores.deadLetters.letters).toHaveLength(1)
})

test('skip leaves the dead letter out, also when the log is delivered again from its start', async () => {
  const { world, ask, request, worker } = await parked()
  expect(await ask(request('skip'))).toMatchObject({ done: true })
  expect(await log(world)).toEqual(['|e0|e2|e3'])
  await worker.projector.stop('test')
  world.kafka.forget(`${world.projection.name}.v1`)
  await world.publish('Added', { id: 'a', by: 4 })
  await world.finish()
  expect(await log(world)).toEqual(['|e0|e2|e3|e4'])
  expect(world.stores.deadLetters.letters.map(({ state }) => state)).toEqual(['skipped'])
})

test('a retry goes up to the next event that fails; that one is a dead letter of its own', async () => {
  const dislikes = { note: 'poison' as string | undefined }
  const { world, ask, request, offset } = await parked(dislikes)
  const [second] = await world.publish('Noted', { id: 'a', note: 'bitter' })
  await world.publish('Added', { id: 'a', by: 9 })
  await world.caughtUp()
  dislikes.note = 'bitter'
  const { done, message } = await ask(request('retry'))
  expect(done).toBe(true)
  expect(message).toContain(`operations/${second!.partition}/${second!.offset} failed`)
  expect(await log(world)).toEqual(['|e0|e1|e2|e3'])
  expect(world.stores.deadLetters.letters.map(({ state, record }) => [record.offset, state])).toEqual([
    [offset, 'applied'],
    [second!.offset, 'parked'],
  ])
  expect(await ask(request('skip', { id: 'second', offset: second!.offset }))).toMatchObject({ done: true })
  await world.finish()
  expect(await log(world)).toEqual(['|e0|e1|e2|e3|e5'])
})

test('a worker killed during a retry leaves it to the next, which ends it once', async () => {
  for (const held of ['view.write', 'deadLetters.resolve', 'deadLetters.release', 'deadLetters.answer'] as const) {
    for (const when of ['before', 'after'] as const) {
      const dislikes = { note: 'poison' as string | undefined }
      const { world, worker, request } = await parked(dislikes)
      dislikes.note = undefined
      const gate = world.stores.faults.hold(when, held)
      await world.stores.deadLetters.ask(request('retry'))
      await gate.waiting(1)
      worker.member.crash()
      await world.publish('Added', { id: 'a', by: 4 })
      world.start()
      gate.open()
      await world.publish('Added', { id: 'a', by: 5 })
      for (;;) {
        if (
          (await world.stores.deadLetters.outcome(request('retry').source, 'r-retry')) &&
          (await log(world))[0] === '|e0|e1|e2|e3|e4|e5'
        )
          break
        await new Promise((resolve) => setImmediate(resolve))
      }
      await world.finish()
      expect(await log(world), `${held} ${when}`).toEqual(['|e0|e1|e2|e3|e4|e5'])
    }
  }
})

test('an unreadable event parks its key; retry applies it after the reader was repaired, or says that rows have moved past it', async () => {
  const world = arena({ settings: { requestPollMs: 1 } })
  world.start()
  const [at] = await world.publish('Added', { id: 'a', by: 1 })
  const source = { topic: 'operations', partition: at!.partition }
  const [broken] = world.kafka.append(source, [{ key: Buffer.from('a'), value: Buffer.from('{"specversion":') }])
  await world.publish('Added', { id: 'a', by: 2 })
  await world.caughtUp()
  expect(await log(world)).toEqual(['|e0'])
  const scope = keyScope(Buffer.from('a'))
  await world.stores.deadLetters.ask({ id: 'x', action: 'skip', source, scope, offset: broken!.offset })
  while (!(await world.stores.deadLetters.outcome(source, 'x'))) await new Promise((resolve) => setImmediate(resolve))
  await world.finish()
  expect(await log(world)).toEqual(['|e0|e1'])
})

test('a request about what does not wait, or not first, is answered and does nothing', async () => {
  const { world, ask, request, offset } = await parked()
  expect((await ask(request('retry', { id: 'b', scope: 'row:b' }))).message).toMatch(/is applied already/)
  expect((await ask(request('skip', { id: 'c', offset: offset + 1 }))).message).toMatch(/decide about that one first/)
  await world.finish()
  expect(await log(world)).toEqual(['|e0'])
})

test('what a worker parks behind a dead letter that another has decided about meanwhile is applied all the same', async () => {
  for (const restarted of [false, true]) {
    const { world, worker, request, source, offset } = await parked()
    const gate = world.stores.faults.hold('before', 'deadLetters.release')
    await world.stores.deadLetters.ask(request('skip'))
    await gate.waiting(1)
    // The first worker is a zombie from here on: it decides, while the second has the partition and believes the row to wait.
    worker.member.evict()
    const owner = world.start()
    await world.publish('Added', { id: 'a', by: 4 })
    await world.caughtUp()
    gate.open()
    while (
      (await world.stores.deadLetters.load(source)).parked.get('row:a') === offset &&
      world.stores.journal.at(-1)?.operation !== 'deadLetters.release'
    )
      await new Promise((resolve) => setImmediate(resolve))
    await world.publish('Added', { id: 'a', by: 5 })
    await world.caughtUp()
    if (restarted) {
      owner.member.crash()
      world.start()
    }
    await world.publish('Added', { id: 'a', by: 6 })
    while ((await log(world))[0] !== '|e0|e2|e3|e4|e5|e6') await new Promise((resolve) => setImmediate(resolve))
    await world.finish()
    expect(await log(world)).toEqual(['|e0|e2|e3|e4|e5|e6'])
  }
})

test('what was skipped stays out when it is delivered again to a handler that would now take it', async () => {
  const dislikes = { note: 'poison' as string | undefined }
  const { world, ask, request, worker } = await parked(dislikes)
  await ask(request('skip'))
  await worker.projector.stop('test')
  dislikes.note = undefined
  world.kafka.forget('counters.v1')
  await world.finish()
  expect(await log(world)).toEqual(['|e0|e2|e3'])
})

test('skipping poison as it comes holds up nothing, also for the next owner', async () => {
  const world = arena({ settings: { onPoison: 'skip' } })
  const worker = world.start()
  await world.publish('Added', { id: 'a', by: 1 })
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.publish('Added', { id: 'a', by: 2 })
  await world.caughtUp()
  worker.member.crash()
  await world.publish('Added', { id: 'a', by: 3 })
  await world.finish()
  expect(await log(world)).toEqual(['|e0|e2|e3'])
  expect(world.stores.deadLetters.letters.map(({ state }) => state)).toEqual(['skipped'])
})

test('records without a key stand alone: a decision about one leaves the others', async () => {
  const world = arena({ settings: { requestPollMs: 1 } })
  world.start()
  const source = { topic: 'operations', partition: 0 }
  const keyless = [1, 2].map(() => world.kafka.append(source, [{ key: null, value: Buffer.from('{') }])[0]!)
  await world.caughtUp()
  const { deadLetters } = world.stores
  for (const [index, { offset }] of keyless.toReversed().entries()) {
    await deadLetters.ask({ id: `${index}`, action: index === 0 ? 'skip' : 'retry', source, scope: 'key:', offset })
    while (!(await deadLetters.outcome(source, `${index}`))) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await deadLetters.outcome(source, '0')).toMatchObject({ done: true })
  expect(await deadLetters.outcome(source, '1')).toMatchObject({
    done: false,
    message: expect.stringMatching(/still fails: EVENT_/),
  })
  await world.finish()
})

test('a row that Cassandra refuses stays as it was when it is retried, and what waits behind it goes on waiting', async () => {
  const world = arena({ settings: { requestPollMs: 1 } })
  world.stores.view.refuse('a')
  world.start()
  const [at] = await world.publish('Added', { id: 'a', by: 1 })
  await world.publish('Noted', { id: 'a', note: 'poison' })
  await world.publish('Added', { id: 'a', by: 2 })
  await world.caughtUp()
  const source = { topic: 'operations', partition: at!.partition }
  for (const id of ['one', 'two']) {
    await world.stores.deadLetters.ask({ id, action: 'retry', source, scope: 'row:a', offset: at!.offset })
    while (!(await world.stores.deadLetters.outcome(source, id))) await new Promise((resolve) => setImmediate(resolve))
    expect(await world.stores.deadLetters.outcome(source, id)).toMatchObject({
      done: false,
      message: expect.stringMatching(/still fails: WRITE_REFUSED/),
    })
  }
  await world.finish()
  expect(world.stores.deadLetters.letters.map(({ record, state }) => [record.offset, state])).toEqual([
    [at!.offset, 'parked'],
  ])
  const waiting: number[] = []
  for await (const records of world.stores.deadLetters.events(source, 'row:a', 0))
    waiting.push(...records.map(({ offset }) => offset - at!.offset))
  expect(waiting).toEqual([0, 1, 2])
})
