import { expect, test } from 'vitest'
import { TidemarkError } from '../errors.ts'
import { createProgress, together } from './progress.ts'

const carts3 = { topic: 'carts', partition: 3 }
const down = new TidemarkError('CASSANDRA_UNAVAILABLE', 'no node answers')

function started(patienceMs = 60_000) {
  let time = 0
  const progress = createProgress('cart-summary.v1', () => time, patienceMs)
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { progress, pass }
}

test('a worker that has not joined its group is not ready, and names what keeps it', () => {
  const { progress } = started()
  expect(progress.verdict()).toEqual({
    ready: false,
    reasons: ['cart-summary.v1 has not joined its consumer group yet'],
  })
  progress.held(undefined, new TidemarkError('KAFKA_UNAVAILABLE', 'no broker answers'))
  expect(progress.verdict().reasons.join()).toContain('KAFKA_UNAVAILABLE')
})

test('a worker without a partition stands by and is ready', () => {
  const { progress } = started()
  progress.assigned([])
  expect(progress.verdict()).toEqual({ ready: true, reasons: [] })
})

test('lag alone never makes a worker unready', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  for (let position = 0; position < 100; position++) {
    progress.at(carts3, position, 1_000_000)
    pass(59_000)
    expect(progress.verdict().ready).toBe(true)
  }
})

test('standing still while there is lag makes it unready, with the place, the lag and the cause', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  progress.at(carts3, 10, 5)
  progress.held(carts3, down)
  pass(59_999)
  expect(progress.verdict().ready).toBe(true)
  pass(1)
  const { ready, reasons } = progress.verdict()
  expect(ready).toBe(false)
  expect(reasons).toHaveLength(1)
  expect(reasons[0]).toMatch(/carts\/3 is 5 event\(s\) behind.*60 s.*CASSANDRA_UNAVAILABLE/)

  progress.held(carts3, undefined)
  progress.at(carts3, 11, 4)
  expect(progress.verdict().ready).toBe(true)
})

test('time spent without lag is not standing still', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  progress.at(carts3, 10, 0)
  pass(1_000_000)
  progress.at(carts3, 10, 1)
  pass(59_000)
  expect(progress.verdict().ready).toBe(true)
  pass(1_000)
  expect(progress.verdict().ready).toBe(false)
})

test('a growing lag does not count as progress', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  for (let lag = 1; lag <= 61; lag++) {
    progress.at(carts3, 10, lag)
    pass(1_000)
  }
  expect(progress.verdict().ready).toBe(false)
})

test('a hold is said even where no lag is known, but not before its time', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  progress.held(undefined, down)
  expect(progress.verdict().ready).toBe(true)
  pass(60_000)
  expect(progress.verdict().reasons.join()).toContain('has been held for 60 s. CASSANDRA_UNAVAILABLE')
})

test('what is no longer assigned is no longer waited for', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  progress.at(carts3, 10, 5)
  progress.held(carts3, down)
  pass(60_000)
  progress.assigned([{ topic: 'carts', partition: 4 }])
  expect(progress.verdict().ready).toBe(true)
})

test('a partition that stands still stays known across rebalances that keep it, with a new period of grace', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  progress.at(carts3, 10, 5)
  pass(59_000)
  progress.assigned([carts3])
  pass(59_000)
  expect(progress.verdict().ready).toBe(true)
  pass(1_000)
  expect(progress.verdict().ready).toBe(false)
})

test('a hold ends with its generation: who is still held says so again', () => {
  const { progress, pass } = started()
  progress.assigned([carts3])
  progress.held(undefined, down)
  progress.held(carts3, down)
  progress.assigned([carts3])
  for (let position = 0; position < 10; position++) {
    pass(59_000)
    progress.at(carts3, position, 1)
  }
  expect(progress.verdict()).toEqual({ ready: true, reasons: [] })
  progress.held(carts3, down)
  pass(60_000)
  expect(progress.verdict().reasons.join()).toContain('CASSANDRA_UNAVAILABLE')
})

test('a draining worker is not ready; several are ready together', () => {
  const { progress } = started()
  progress.assigned([])
  const other = progress.verdict()
  progress.draining('SIGTERM')
  expect(together([other, progress.verdict()])).toEqual({
    ready: false,
    reasons: ['cart-summary.v1 is stopping: SIGTERM'],
  })
})
