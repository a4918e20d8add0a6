import { expect, test } from 'vitest'
import { TidemarkError } from '../../shared/errors.ts'
import { loadProjections } from '../loader.ts'
import { checkServing } from './serving.ts'

const projections = await loadProjections({ builtin: true })
/** Kafka has only one of the topics, with more partitions than are declared. */
const admin = {
  describe: async (topic: string) => (topic === 'inventory' ? ({ partitions: 24 } as never) : undefined),
}
const check = (...serving: object[]) =>
  checkServing(
    serving.map((one) => JSON.stringify(one)),
    { projections, admin },
    { LOG_LEVEL: 'info' },
  )
const told = (...serving: object[]) =>
  check(...serving).then(
    () => '',
    (error: Error) => {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
      return error.message
    },
  )

test('what can run as it is described passes', async () => {
  await check(
    { name: 'a', run: 'stock.v1', topics: ['inventory'], partitions: 24, env: { TIDEMARK_FLUSH_ROWS: '5' } },
    { name: 'b', run: 'entity-history', topics: ['inventory', 'carts'], partitions: 36 },
    { name: 'c', run: 'orders.v1', partitions: 12 },
    { name: 'gateway', env: { LOG_LEVEL: '' } },
  )
})

test('every fault of every process is told at once', async () => {
  const faults = await told(
    { name: 'projections.stok (v1)', run: 'stok.v1', env: { TIDEMARK_FLUSH_ROWS: 'many' } },
    { name: 'projections.stock (v2)', run: 'stock.v2' },
    { name: 'projections.stock (v1)', run: 'stock.v1', topics: ['carts'], partitions: 12 },
    { name: 'query', env: { LOG_LEVEL: 'loud' } },
  )
  expect(faults).toMatch(/^6 faults/)
  expect(faults).toMatch(/projections\.stok \(v1\): .*TIDEMARK_FLUSH_ROWS="many" must be a whole number/s)
  expect(faults).toMatch(/projections\.stok \(v1\): there is no projection "stok\.v1": did you mean stock\.v1\?/)
  expect(faults).toMatch(/projections\.stock \(v2\): there is no projection "stock\.v2"/)
  expect(faults).toMatch(/topics are said to be carts, but it reads inventory/)
  expect(faults).toMatch(/partitions are said to be 12, but its topics \(inventory\) have 24 in all/)
  expect(faults).toMatch(/query: .*LOG_LEVEL="loud" must be one of/s)
})

test('a Kafka that is away hides no fault, and leaves the rest unsaid', async () => {
  const away = {
    projections,
    admin: { describe: () => Promise.reject(new TidemarkError('KAFKA_UNAVAILABLE', 'nobody is there')) },
  }
  const fine = '{"name":"a","run":"stock.v1","partitions":12}'
  await expect(checkServing([fine], away, {})).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
  await expect(checkServing([fine, '{"name":"b","run":"stok"}'], away, {})).rejects.toThrow(
    /^1 fault:\n {2}- b: .*stok/,
  )
})

test.each([
  '',
  '[]',
  '{',
  '{}',
  '{"name":""}',
  '{"name":"a","partitions":0}',
  '{"name":"a","topic":["secret"]}',
  'secret',
])('a process that is none is refused, and what was said is not repeated: %s', async (text) => {
  const error = await checkServing([text], { projections, admin }).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'USAGE' })
  expect((error as Error).message).not.toContain('secret')
})
