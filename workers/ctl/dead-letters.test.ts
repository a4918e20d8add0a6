import { expect, test } from 'vitest'
import type { DeadLetter, Request } from '../../shared/engine/index.ts'
import { arena, operations, swiftClock } from '../../shared/testing/arena.ts'
import { type DeadLetterPorts, decide } from './dead-letters.ts'
import { decideCommand, listCommand } from './dead-letters-command.ts'

const source = { topic: operations.name, partition: 0 }
const position = { ...source, offset: 7 }

/** One event that failed for two rows: what became of each. */
async function desk(states: Readonly<Record<'row:a' | 'row:b', DeadLetter['state']>>) {
  const { projection, kafka, stores } = arena({ partitions: 1 })
  const record = { offset: 7, timestamp: 0, key: Buffer.from('k'), value: null, headers: {} }
  for (const scope of ['row:a', 'row:b'] as const) {
    const letter: DeadLetter = { source, scope, record, code: 'HANDLER_FAILED', reason: 'x', state: 'parked' }
    await stores.deadLetters.record(source, [letter], [])
    const state = states[scope]
    if (state !== 'parked') await stores.deadLetters.resolve(source, scope, 7, state, 7)
  }
  const ports: DeadLetterPorts = { projection, log: kafka.log, desk: stores.deadLetters, clock: swiftClock() }
  return { ports, asked: () => stores.deadLetters.unanswered.map(({ scope }) => scope) }
}

test('only what still waits is decided about: what was applied or skipped before is left alone', async () => {
  const { ports, asked } = await desk({ 'row:a': 'applied', 'row:b': 'parked' })
  expect(await Array.fromAsync(decide(ports, position, { action: 'skip', waitMs: 0 }))).toHaveLength(1)
  expect(asked()).toEqual(['row:b'])
})

test('where nothing waits any more nothing is asked for', async () => {
  const { ports, asked } = await desk({ 'row:a': 'applied', 'row:b': 'skipped' })
  expect(await Array.fromAsync(decide(ports, position, { action: 'retry', waitMs: 0 }))).toEqual([])
  expect(asked()).toEqual([])
})

test('asked for all, each is asked for once, also where one position has several', async () => {
  const { ports, asked } = await desk({ 'row:a': 'parked', 'row:b': 'parked' })
  const { projection, desk: letters } = ports
  const ask = letters.ask.bind(letters)
  letters.ask = async (request: Request) => {
    await ask(request)
    await letters.resolve(request.source, request.scope, request.offset, 'skipped', request.offset)
    await letters.answer(request, { done: true, message: `skipped ${request.scope}` })
  }
  const printed: string[] = []
  const output = { columns: 100, write: (text: string) => printed.push(text) }
  const desks = { projections: { all: [projection], get: () => projection }, desk: () => ports }
  expect(
    await decideCommand('skip', undefined, desks, { projection: projection.name, all: true, waitMs: 0 }, output),
  ).toBe(0)
  expect(printed.map((line) => line.trim().split(' ').at(-1))).toEqual(['row:a', 'row:b', 'done'])
  expect(asked()).toEqual([])
})

test('all are waited for together, and what nobody has answered is said to stay', async () => {
  const { ports, asked } = await desk({ 'row:a': 'parked', 'row:b': 'parked' })
  const clock = ports.clock
  const startedAt = clock.now()
  const decided = await Array.fromAsync(decide(ports, undefined, { action: 'retry', waitMs: 5_000 }))
  expect(decided.map(({ done, message }) => [done, message.slice(0, 38)])).toEqual(
    Array(2).fill([false, 'no worker has answered within 5 s: the']),
  )
  expect(clock.now() - startedAt).toBeLessThan(10_000)
  expect(asked()).toEqual(['row:a', 'row:b'])
})

test('the list has one line for each, however long its reason and however many parts its row has', async () => {
  const { projection, kafka, stores } = arena({ partitions: 1 })
  const letter = (offset: number, scope: DeadLetter['scope'], reason: string): DeadLetter => ({
    source,
    scope,
    record: { offset, timestamp: 0, key: Buffer.from('k'), value: null, headers: {} },
    code: 'HANDLER_FAILED',
    reason,
    state: 'parked',
  })
  const letters = [
    letter(1, 'row:a', 'short'),
    letter(2, 'row:5:carts2:c1', `much\nlonger ${'than fits '.repeat(40)}`),
    letter(3, `row:${'x'.repeat(200)}`, 'z'),
  ]
  await stores.deadLetters.record(source, letters, [])
  const ports: DeadLetterPorts = { projection, log: kafka.log, desk: stores.deadLetters, clock: swiftClock() }
  const desks = { projections: { all: [projection], get: () => projection }, desk: () => ports }
  const printed: string[] = []
  await listCommand([], desks, {}, { columns: 100, write: (text) => printed.push(text) })
  const lines = printed.join('').split('\n')
  expect(lines.slice(1, 4)).toEqual([
    expect.stringContaining(' row "a" '),
    expect.stringContaining(' row ["carts","c1"] '),
    expect.stringContaining('xxx…'),
  ])
  expect(lines[4]).toBe('')
})
