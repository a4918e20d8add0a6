import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import type { Assignment, DeadLetter } from '../engine/ports.ts'
import { TidemarkError } from '../errors.ts'
import { createLogger } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createObserver } from './observer.ts'
import { createProgress } from './progress.ts'

const source = { topic: 'carts', partition: 3 }
const NONE = { applied: 0, ignored: 0, duplicate: 0, dead: 0, parked: 0 }

function observed() {
  let time = 1_000_000
  const lines: { level: string; msg: string }[] = []
  const stream = new Writable({
    write(line, _, done) {
      lines.push(JSON.parse(String(line)))
      done()
    },
  })
  const metrics = createMetrics()
  const progress = createProgress('cart-summary', () => time)
  const log = createLogger({ level: 'info' }, { terminal: false, stream })
  const observer = createObserver({
    projection: { name: 'cart-summary', version: 2 },
    log,
    metrics,
    progress,
    now: () => time,
  })
  const assignment: Assignment = { source, kept: false, start: 10, committed: 10, logStart: 0, end: 30 }
  const value = async (metric: string) => {
    const found = (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    return found.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1))).reduce((sum, one) => sum + one, 0)
  }
  const step = (position: number, applied: number, end = 30) => ({
    outcomes: { ...NONE, applied },
    position,
    end,
    producedAt: time - 2_000,
    busy: 0.25,
    traces: [],
  })
  return {
    observer,
    metrics,
    progress,
    lines,
    assignment,
    value,
    step,
    pass(ms: number) {
      time += ms
    },
    now: () => time,
  }
}

test('counters count, and gauges follow what is durable, not what is only folded', async () => {
  const { observer, assignment, step, value, now, metrics } = observed()
  observer.assigned([assignment])
  expect(await value('tidemark_lag_events')).toBe(20)
  expect(await value('tidemark_log_end')).toBe(30)
  observer.folded(source, step(19, 8))
  expect(await value('tidemark_lag_events')).toBe(20)
  observer.flushed(source, {
    trigger: 'time',
    rows: 5,
    seconds: 0.1,
    position: 19,
    next: 20,
    oldest: now() - 3_000,
    newest: now() - 2_000,
  })
  observer.folded(source, step(24, 5))
  expect(await value('tidemark_lag_events')).toBe(10)
  expect(await value('tidemark_position')).toBe(19)
  expect(await value('tidemark_events_total')).toBe(13)
  expect(await value('tidemark_rows_written_total')).toBe(5)
  expect(await value('tidemark_busy_seconds_total')).toBe(0.5)
  expect(await value('tidemark_assigned_partitions')).toBe(1)
  expect(await value('tidemark_rebalances_total')).toBe(1)
  expect(await value('tidemark_end_to_end_seconds_count')).toBe(2)
  expect(await value('tidemark_end_to_end_seconds_sum')).toBe(5)
  expect(await metrics.text()).toContain(
    'tidemark_events_total{projection="cart-summary",version="2",topic="carts",partition="3",outcome="applied"} 13',
  )
})

test('asking twice counts nothing twice', async () => {
  const { observer, assignment, step, value } = observed()
  observer.assigned([assignment])
  observer.folded(source, step(19, 8))
  expect([await value('tidemark_events_total'), await value('tidemark_events_total')]).toEqual([8, 8])
})

test('caught up is caught up, also where the log ends in offsets without a record', async () => {
  const { observer, assignment, step, value, now } = observed()
  observer.assigned([assignment])
  observer.folded(source, step(27, 8))
  observer.flushed(source, {
    trigger: 'latency',
    rows: 5,
    seconds: 0.1,
    position: 27,
    next: 28,
    oldest: now(),
    newest: now(),
  })
  expect(await value('tidemark_lag_events')).toBe(0)
  expect(await value('tidemark_event_age_seconds')).toBe(0)
})

test('offsets without a record that come after the last one are not lag', async () => {
  const { observer, assignment, step, value, now } = observed()
  observer.assigned([assignment])
  observer.folded(source, step(29, 8))
  const flush = {
    trigger: 'latency' as const,
    rows: 0,
    seconds: 0.1,
    position: 29,
    next: 30,
    oldest: now(),
    newest: now(),
  }
  observer.flushed(source, { ...flush, next: 30 })
  observer.end(source, 31)
  expect(await value('tidemark_lag_events')).toBe(1)
  observer.flushed(source, { ...flush, next: 31 })
  expect(await value('tidemark_lag_events')).toBe(0)
})

test('partitions of other workers are not counted when their ends are told', async () => {
  const { observer, assignment, value, metrics } = observed()
  observer.assigned([assignment])
  observer.end({ topic: 'carts', partition: 4 }, 500)
  expect(await value('tidemark_lag_events')).toBe(20)
  expect(await metrics.text()).not.toContain('partition="4"')
})

test('age counts from when the view was last complete, so an idle topic does not look old', async () => {
  const { observer, assignment, step, value, now, pass } = observed()
  observer.assigned([assignment])
  observer.folded(source, step(29, 8))
  observer.flushed(source, {
    trigger: 'latency',
    rows: 5,
    seconds: 0.1,
    position: 29,
    next: 30,
    oldest: now(),
    newest: now(),
  })
  pass(3_600_000)
  observer.end(source, 31)
  expect(await value('tidemark_event_age_seconds')).toBe(0)
  pass(5_000)
  observer.end(source, 32)
  expect(await value('tidemark_lag_events')).toBe(2)
  expect(await value('tidemark_event_age_seconds')).toBe(5)
})

test('gauges of a partition that was given up are gone, its counters stay', async () => {
  const { observer, assignment, step, value } = observed()
  observer.assigned([assignment])
  observer.folded(source, step(19, 8))
  observer.assigned([])
  expect(await value('tidemark_lag_events')).toBe(0)
  expect(await value('tidemark_events_total')).toBe(8)
  expect(await value('tidemark_assigned_partitions')).toBe(0)
})

test('a partition that comes back after another worker moved it starts where that one stopped', async () => {
  const { observer, assignment, value } = observed()
  observer.assigned([assignment])
  observer.assigned([])
  observer.assigned([{ ...assignment, start: 28 }])
  expect(await value('tidemark_lag_events')).toBe(2)
  expect(await value('tidemark_position')).toBe(27)
})

test('a hold is said once, again when its reason changes or a minute has passed, and when it ends', () => {
  const { observer, lines, pass } = observed()
  const down = new TidemarkError('CASSANDRA_UNAVAILABLE', 'no node answers')
  const said = () => lines.filter(({ msg }) => msg.includes('held') || msg.includes('goes on')).length
  for (let retry = 0; retry < 5; retry++) observer.held(source, down, 1)
  expect(said()).toBe(1)
  expect(lines.at(-1)).toMatchObject({ level: 'warn', err: { code: 'CASSANDRA_UNAVAILABLE' } })
  observer.held(source, new TidemarkError('CASSANDRA_SCHEMA', 'no table'), 1)
  expect(said()).toBe(2)
  pass(60_000)
  observer.held(source, new TidemarkError('CASSANDRA_SCHEMA', 'no table'), 1)
  expect(said()).toBe(3)
  observer.held(source, undefined, 0)
  observer.held(source, undefined, 0)
  expect(said()).toBe(4)
})

test('a dead letter is a warning that says what to type', async () => {
  const { observer, lines, value } = observed()
  const record = { offset: 7, timestamp: 0, key: null, value: null, headers: {} }
  const letter: DeadLetter = { source, scope: 'row:a', record, code: 'HANDLER_FAILED', reason: 'x', state: 'parked' }
  observer.dead(letter)
  observer.parked(source, 1)
  expect(lines.at(-1)).toMatchObject({ level: 'warn', code: 'HANDLER_FAILED' })
  expect(lines.at(-1)?.msg).toContain('tidemark dead-letters show carts/3/7')
  expect(await value('tidemark_dead_letters_total')).toBe(1)
})

test.each([
  ['row:a', 'parked', 'it and later events of row "a" wait'],
  ['key:', 'parked', 'nothing waits behind it, since its record has no key'],
  ['row:a', 'skipped', 'it was left out of row "a"'],
] as const)('a dead letter of %s, %s, says what follows from it', (scope, state, consequence) => {
  const { observer, lines } = observed()
  const record = { offset: 7, timestamp: 0, key: null, value: null, headers: {} }
  observer.dead({ source, scope, record, code: 'HANDLER_FAILED', reason: 'x', state })
  const said = String(lines.at(-1)?.msg)
  expect(said).toContain(`event carts/3/7 is a dead letter: ${consequence}`)
  expect(said.includes('retry or skip it')).toBe(state === 'parked')
})

test('what held a generation is said anew in the next', () => {
  const { observer, lines, assignment } = observed()
  const down = new TidemarkError('CASSANDRA_UNAVAILABLE', 'no node answers')
  observer.held(source, down, 1)
  observer.assigned([assignment])
  observer.held(source, down, 1)
  expect(lines.filter(({ msg }) => msg.includes('held'))).toHaveLength(2)
})

test('every metric that dashboards and alerts rely on is there by name', async () => {
  const { observer, assignment, metrics } = observed()
  observer.assigned([assignment])
  metrics.cassandraRequest(0.004, 'write', { name: 'cart-summary', version: 2 })
  const text = await metrics.text()
  for (const name of [
    'events_total',
    'lag_events',
    'event_age_seconds',
    'end_to_end_seconds',
    'flush_duration_seconds',
    'flush_rows',
    'rows_written_total',
    'busy_seconds_total',
    'dead_letters_total',
    'parked_keys',
    'rebalances_total',
    'position',
    'assigned_partitions',
    'cassandra_request_seconds',
  ]) {
    expect(text, name).toContain(`# TYPE tidemark_${name} `)
  }
  expect(text).toContain(
    'tidemark_cassandra_request_seconds_count{operation="write",projection="cart-summary",version="2"} 1',
  )
  expect(text).toContain('nodejs_eventloop_lag_seconds')
  expect(metrics.contentType).toMatch(/^text\/plain/)
})
