import fc from 'fast-check'
import pLimit from 'p-limit'
import { expect, test } from 'vitest'
import { TidemarkError } from '../errors.ts'
import type { Statement } from './session.ts'
import { type Mutation, Writer, type WritingSession } from './writer.ts'

/** A session that keeps what it is sent, on nodes that are given by the first letter of the partition. */
class Recording {
  readonly sent: string[][] = []
  readonly replicatedEverywhere: boolean
  readonly #fail: (statement: string) => Error | undefined

  constructor({
    everywhere = false,
    fail = () => undefined,
  }: { everywhere?: boolean; fail?: (statement: string) => Error | undefined } = {}) {
    this.replicatedEverywhere = everywhere
    this.#fail = fail
  }

  replicas(routingKey: Buffer): string {
    return routingKey.toString()[0] ?? ''
  }

  async write(given: readonly Statement[] | (() => readonly Statement[])): Promise<void> {
    const statements = typeof given === 'function' ? given() : given
    if (statements.length === 0) return
    this.sent.push(statements.map(({ query }) => query))
    for (const { query } of statements) {
      const error = this.#fail(query)
      if (error) throw error
    }
  }
}

const mutation = (
  partition: string,
  name: string,
  { bytes = 100, statements = 1 } = {},
): Mutation & { readonly name: string } => ({
  name,
  partition,
  routingKey: () => Buffer.from(partition),
  statements: () => Array.from({ length: statements }, () => ({ query: name, params: [] })),
  count: statements,
  bytes,
})
const names = (batches: readonly { readonly mutations: readonly { readonly name: string }[] }[]) =>
  batches.map(({ mutations }) => mutations.map(({ name }) => name).join(''))
const refusal = new TidemarkError('WRITE_REFUSED', 'no')

test('rows of one partition go together, in their order', () => {
  const writer = new Writer(new Recording(), { partitionsPerBatch: 1 })
  expect(names(writer.batches([mutation('x', 'a'), mutation('y', 'b'), mutation('x', 'c')]))).toEqual(['ac', 'b'])
})

test('rows of partitions on the same nodes share batches, at most so many partitions', () => {
  const all = ['x1', 'y1', 'x2', 'y2', 'x3'].map((partition, index) => mutation(partition, 'abcde'[index]!))
  expect(names(new Writer(new Recording(), { partitionsPerBatch: 2 }).batches(all)).sort()).toEqual(['ac', 'bd', 'e'])
  expect(names(new Writer(new Recording({ everywhere: true }), { partitionsPerBatch: 10 }).batches(all))).toEqual([
    'abcde',
  ])
})

test('partitions whose nodes are not known share nothing', () => {
  expect(
    names(new Writer(new Recording()).batches([mutation('', 'a'), mutation('x', 'b'), mutation('x2', 'c')])).sort(),
  ).toEqual(['a', 'bc'])
})

test('no batch is above 100 statements or 32 KiB unless it is one row, shared ones stay below 5 KiB, and nothing is lost', () => {
  const rows = fc.array(
    fc.record({
      partition: fc.constantFrom('x1', 'x2', 'x3', 'y1'),
      bytes: fc.integer({ min: 1, max: 40_000 }).map((size) => (size % 3 === 0 ? size : size % 500)),
      statements: fc.integer({ min: 1, max: 2 }),
    }),
    { maxLength: 400 },
  )
  fc.assert(
    fc.property(rows, (given) => {
      const mutations = given.map(({ partition, ...size }, index) => mutation(partition, String(index), size))
      const batches = new Writer(new Recording()).batches(mutations)
      expect(batches.flatMap((batch) => batch.mutations.map(({ name }) => Number(name))).sort((a, b) => a - b)).toEqual(
        given.map((_, index) => index),
      )
      for (const { mutations: batch } of batches) {
        const bytes = batch.reduce((sum, one) => sum + one.bytes, 0)
        const partitions = new Set(batch.map(({ partition }) => partition)).size
        if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(partitions > 1 ? 5 * 1024 : 32 * 1024)
        expect(batch.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(100)
      }
    }),
  )
})

test('a refused batch is sent again row by row, which names the guilty', async () => {
  const session = new Recording({ fail: (query) => (query === 'b' ? refusal : undefined) })
  const refused = await new Writer(session).write(
    [mutation('x', 'a'), mutation('x', 'b'), mutation('x', 'c')],
    'writing',
  )
  expect(refused.map(({ mutation: { name } }) => name)).toEqual(['b'])
  expect(session.sent.map((sent) => sent.join(''))).toEqual(['abc', 'a', 'b', 'c'])
})

test('a transient error rejects, also when it comes after a refusal', async () => {
  const down = new TidemarkError('CASSANDRA_UNAVAILABLE', 'down')
  const session = new Recording({ fail: (query) => (query === 'b' ? refusal : query === 'z' ? down : undefined) })
  await expect(
    new Writer(session, { partitionsPerBatch: 1 }).write(
      [mutation('x', 'b'), mutation('y', 'z'), mutation('w', 'a')],
      'writing',
    ),
  ).rejects.toBe(down)
})

test('after a failure what still waits for its turn is not sent: an overloaded Cassandra is left alone', async () => {
  const limit = pLimit(10)
  const down = new TidemarkError('CASSANDRA_UNAVAILABLE', 'overloaded')
  const session = new Recording({ fail: () => down })
  const limited: WritingSession = {
    replicas: () => '',
    replicatedEverywhere: false,
    write: (statements) => limit(() => session.write(statements)),
  }
  const rows = Array.from({ length: 1000 }, (_, index) => mutation(String(index), 'a'))
  await expect(new Writer(limited, { partitionsPerBatch: 1 }).write(rows, 'writing')).rejects.toBe(down)
  expect(session.sent.length).toBeLessThanOrEqual(20)
})
