import { expect, test } from 'vitest'
import { alignedCounts, drainedAfter, judge, turns } from './judge.ts'
import type { Scenario } from './scenario.ts'

test('of twelve partitions, 1, 2, 3, 4, 6 and 12 workers are worth a rebalance', () => {
  expect(alignedCounts(12)).toEqual([1, 2, 3, 4, 6, 12])
})

test('up and then down is one turn, however many steps it takes', () => {
  expect(turns([0, 1, 3, 3, 2, 0])).toBe(1)
  expect(turns([0, 3, 1, 3])).toBe(2)
  expect(turns([2])).toBe(0)
})

test('a backlog is gone when it no longer comes back', () => {
  const lag = [
    [10, 0],
    [20, 5_000],
    [30, 50],
    [40, 900],
    [50, 10],
  ] as const
  expect(drainedAfter({ lag }, { rate: 100, from: 10, to: 60 })).toBe(40)
  expect(drainedAfter({ lag: lag.slice(0, 4) }, { rate: 100, from: 10, to: 60 })).toBeUndefined()
  expect(drainedAfter({ lag: [[10, 3]] }, { rate: 100, from: 10, to: 60 })).toBe(0)
  expect(drainedAfter({ lag: [] }, { rate: 100, from: 10, to: 60 })).toBeUndefined()
})

const scenario: Scenario = {
  title: '',
  projection: 'p',
  version: 1,
  topics: ['t'],
  partitions: 12,
  catchUpSeconds: 60,
  worker: { cpu: '150m', memory: '1Gi', assumedCapacity: 100 },
  workers: { minimum: 0, maximum: 6, calmSeconds: 30 },
  steps: [],
}
const steps = [
  { rate: 0, from: 0, to: 10 },
  { rate: 300, from: 10, to: 100 },
  { rate: 0, from: 100, to: 200 },
]
const nothing = { arriving: [], applied: [], age: [], capacity: [], wanted: [], need: [] }

test('a fleet that wakes, drains in time and rests again keeps every promise', () => {
  const verdicts = judge(scenario, steps, {
    ...nothing,
    lag: [
      [20, 4_000],
      [60, 20],
    ],
    asked: [
      [0, 0],
      [15, 1],
      [25, 4],
      [150, 0],
    ],
    ready: [
      [18, 1],
      [30, 4],
    ],
  })
  expect(verdicts.filter(({ kept }) => !kept)).toEqual([])
})

test('thrash, an odd number, a late drain and a fleet that stays are named', () => {
  const verdicts = judge(scenario, steps, {
    ...nothing,
    lag: [
      [20, 4_000],
      [99, 20],
    ],
    asked: [
      [0, 0],
      [15, 5],
      [25, 1],
      [30, 4],
    ],
    ready: [],
  })
  expect(verdicts.filter(({ kept }) => !kept).map(({ seen }) => seen)).toEqual([
    '0 → 5 → 1 → 4',
    'after 89 s',
    '0 → 5 → 1 → 4, 2 turn(s)',
    '0 before, 0 ready at most',
    '4',
  ])
})

test('where Cassandra limits, a worker more is a fault, and so is a load that would not have taken any', () => {
  const narrow = { ...scenario, workers: { ...scenario.workers, minimum: 1 }, cassandraBytesPerSecond: 1_000 }
  const seen = (need: number, ...asked: [number, number][]) => {
    const verdicts = judge(narrow, steps, {
      ...nothing,
      need: [[50, need]],
      lag: [],
      ready: [],
      asked: [[0, 1], ...asked],
    })
    return verdicts.filter(({ kept }) => !kept).map((verdict) => verdict.seen)
  }
  expect(seen(2.5)).toEqual([])
  expect(seen(2.5, [40, 2], [90, 1])).toEqual([
    '2 asked for at most; without the rule for Cassandra it would have been 3',
  ])
  expect(seen(0.9)).toEqual(['1 asked for at most; without the rule for Cassandra it would have been 1'])
})
