import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BUSY_TARGET, type FleetBounds, type FleetLoad, wantedWorkers } from './wanted-workers.ts'

const calm: FleetLoad = { arrivalRate: 0, lag: 0, capacity: 1_000, workers: 1, cassandraBound: false }
const twelve: FleetBounds = { partitions: 12, minimum: 0, maximum: 12, catchUpSeconds: 300 }

const loads: fc.Arbitrary<FleetLoad> = fc.record({
  arrivalRate: fc.double({ min: 0, max: 1e6, noNaN: true }),
  lag: fc.nat(1e9),
  capacity: fc.double({ min: 1, max: 1e5, noNaN: true }),
  workers: fc.nat(100),
  cassandraBound: fc.boolean(),
})

const bounds: fc.Arbitrary<FleetBounds> = fc
  .tuple(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 3_600 }))
  .map(([partitions, low, high, catchUpSeconds]) => {
    const maximum = 1 + (high % partitions)
    return { partitions, maximum, minimum: low % (maximum + 1), catchUpSeconds }
  })

/** Partitions of the worker that has most of them. */
const busiest = (partitions: number, workers: number) => Math.ceil(partitions / workers)

describe('the wanted number of workers', () => {
  test.each<[string, Partial<FleetLoad>, number, string]>([
    ['nothing to do', {}, 0, 'load'],
    ['one event waits', { lag: 1 }, 1, 'load'],
    ['one worker at 70 %', { arrivalRate: 699 }, 1, 'load'],
    ['one worker above 70 %', { arrivalRate: 701 }, 2, 'load'],
    ['five workers are needed, and six is the next that helps', { arrivalRate: 3_400 }, 6, 'load'],
    ['seven are needed, and only twelve helps', { arrivalRate: 4_600 }, 12, 'load'],
    ['a backlog of ten minutes of one worker', { lag: 600_000 }, 2, 'load'],
    ['more than partitions can give', { arrivalRate: 50_000 }, 12, 'load'],
    ['Cassandra limits', { arrivalRate: 5_000, workers: 3, cassandraBound: true }, 3, 'cassandra'],
    ['Cassandra limits and the load has gone', { workers: 3, cassandraBound: true }, 0, 'load'],
  ])('%s', (_, load, workers, why) => {
    expect(wantedWorkers({ ...calm, ...load }, twelve)).toMatchObject({ workers, why })
  })

  test('stays within its bounds', () => {
    fc.assert(
      fc.property(loads, bounds, (load, limits) => {
        const { workers } = wantedWorkers(load, limits)
        expect(Number.isInteger(workers)).toBe(true)
        expect(workers).toBeGreaterThanOrEqual(limits.minimum)
        expect(workers).toBeLessThanOrEqual(limits.maximum)
      }),
    )
  })

  test('is enough: the busiest worker keeps up and drains in time, unless bounds or Cassandra forbid it', () => {
    fc.assert(
      fc.property(loads, bounds, (load, limits) => {
        const { workers, need, why } = wantedWorkers(load, limits)
        if (why === 'maximum' || load.cassandraBound || workers === 0 || need > limits.partitions) return
        const share = busiest(limits.partitions, workers) / limits.partitions
        const work = load.arrivalRate / BUSY_TARGET + load.lag / limits.catchUpSeconds
        expect(share * work).toBeLessThanOrEqual(load.capacity * (1 + 1e-9))
      }),
    )
  })

  test('is no more than helps: one worker fewer would give the busiest more partitions', () => {
    fc.assert(
      fc.property(loads, bounds, (load, limits) => {
        const { workers, why } = wantedWorkers(load, limits)
        if (why !== 'load' || workers < 2) return
        expect(busiest(limits.partitions, workers - 1)).toBeGreaterThan(busiest(limits.partitions, workers))
      }),
    )
  })

  test('never falls when load grows, and never grows when capacity does', () => {
    fc.assert(
      fc.property(loads, bounds, fc.nat(1e6), fc.nat(1e8), fc.nat(1e5), (load, limits, arrivals, lag, capacity) => {
        const now = wantedWorkers(load, limits).workers
        const more = { ...load, arrivalRate: load.arrivalRate + arrivals, lag: load.lag + lag }
        expect(wantedWorkers(more, limits).workers).toBeGreaterThanOrEqual(now)
        expect(wantedWorkers({ ...load, capacity: load.capacity + capacity }, limits).workers).toBeLessThanOrEqual(now)
      }),
    )
  })

  test('is never above what runs while Cassandra limits, except to reach the minimum', () => {
    fc.assert(
      fc.property(loads, bounds, (load, limits) => {
        const { workers } = wantedWorkers({ ...load, cassandraBound: true }, limits)
        expect(workers).toBeLessThanOrEqual(Math.max(load.workers, limits.minimum))
      }),
    )
  })
})
