import { expect, test } from 'vitest'
import { loadProjections } from '../loader.ts'
import { checkServing, parseServing } from './serving.ts'

const projections = await loadProjections({ builtin: true })
const fault = (...serving: object[]): string => {
  try {
    checkServing(
      serving.map((one) => parseServing(JSON.stringify(one))),
      projections,
      { LOG_LEVEL: 'info' },
    )
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return (error as Error).message
  }
  return ''
}

test('what can run as it is described passes', () => {
  expect(
    fault(
      { name: 'a', run: 'stock.v1', topics: ['inventory'], partitions: 12, env: { TIDEMARK_FLUSH_ROWS: '5' } },
      { name: 'b', run: 'entity-history', topics: ['inventory', 'carts'] },
      { name: 'gateway', env: { LOG_LEVEL: '' } },
    ),
  ).toBe('')
})

test('every fault of every process is told at once', () => {
  const told = fault(
    { name: 'projections.stok (v1)', run: 'stok.v1', env: { TIDEMARK_FLUSH_ROWS: 'many' } },
    { name: 'projections.stock (v2)', run: 'stock.v2' },
    { name: 'projections.stock (v1)', run: 'stock.v1', topics: ['carts'], partitions: 13 },
    { name: 'query', env: { LOG_LEVEL: 'loud' } },
  )
  expect(told).toMatch(/^6 thing/)
  expect(told).toMatch(/projections\.stok \(v1\): .*TIDEMARK_FLUSH_ROWS="many" must be a whole number/s)
  expect(told).toMatch(/projections\.stok \(v1\): there is no projection "stok\.v1": did you mean stock\.v1\?/)
  expect(told).toMatch(/projections\.stock \(v2\): there is no projection "stock\.v2"/)
  expect(told).toMatch(/topics are said to be carts, but it reads inventory/)
  expect(told).toMatch(/partitions are said to be 13, but its topics are declared with 12 in all/)
  expect(told).toMatch(/query: .*LOG_LEVEL="loud" must be one of/s)
})

test.each(['', '[]', '{', '{}', '{"name":""}', '{"name":"a","partitions":0}', '{"name":"a","topic":["x"]}'])(
  'a process that is none is refused: %s',
  (text) => expect(() => parseServing(text)).toThrow(expect.objectContaining({ code: 'USAGE' })),
)
