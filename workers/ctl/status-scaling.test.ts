import { describe, expect, test } from 'vitest'
import { type Sample, sample } from './status-sample.ts'
import { scalingOf } from './status-scaling.ts'

/** Looks a second apart at 12 partitions: how much had been produced and committed by then, over all. */
function looks(...seen: readonly (readonly [end: number, committed: number])[]): readonly Sample[] {
  return seen.map(([end, committed], second) => ({
    at: second * 1_000,
    partitions: Array.from({ length: 12 }, (_, partition) => ({
      source: { topic: 'carts', partition },
      committed: committed / 12,
      start: 0,
      end: end / 12,
      lag: (end - committed) / 12,
    })),
  }))
}

describe('capacity', () => {
  test('is what one worker did while there was as much left as it had done', () => {
    expect(scalingOf(looks([120_000, 0], [121_200, 2_400], [122_400, 4_800]), 2)).toMatchObject({
      arrivalPerSecond: 1_200,
      capacityPerWorker: 1_200,
      lag: 117_600,
      members: 2,
      partitions: 12,
      wanted: 2,
      why: 'load of 1.8 workers (arrivals at 70 % busy, 117,600 behind gone in 300 s)',
    })
  })

  test('is not taken from workers that wait for events: what they do is what arrives', () => {
    expect(scalingOf(looks([1_200, 1_140], [2_400, 2_340]), 1)).toMatchObject({
      arrivalPerSecond: 1_200,
      capacityPerWorker: null,
      wanted: null,
      why: 'capacity unknown: never behind while watched',
    })
  })

  test('is still known when they have caught up', () => {
    expect(scalingOf(looks([6_000, 0], [6_000, 2_400], [6_000, 4_800], [6_000, 6_000]), 1)).toMatchObject({
      capacityPerWorker: 2_400,
    })
  })

  test('is unknown where nobody works, or nothing moves', () => {
    expect(scalingOf(looks([1_200, 0], [1_200, 0]), 0)?.why).toBe('capacity unknown: no workers')
    expect(scalingOf(looks([1_200, 0], [1_200, 0]), 1)?.why).toBe(
      'capacity unknown: nothing was committed while watched',
    )
  })
})

describe('wanted', () => {
  test('is the minimum where there is nothing to do', () => {
    expect(scalingOf(looks([1_200, 1_200], [1_200, 1_200]), 3)).toMatchObject({
      wanted: 1,
      why: expect.stringMatching(/^minimum/),
    })
  })

  test('is a count that shares the partitions evenly', () => {
    expect(scalingOf(looks([1_200_000, 0], [1_200_000, 840]), 1)).toMatchObject({
      wanted: 6,
      why: expect.stringMatching(/^load of 4.8 workers .*; 6 share 12 partitions evenly$/),
    })
  })

  test('above the partitions says that the topic needs more', () => {
    expect(scalingOf(looks([12_000_000, 0], [12_000_000, 1_200]), 12)).toMatchObject({
      wanted: 12,
      why: expect.stringMatching(/the topic needs more partitions$/),
    })
  })
})

test('without partitions there is nothing to say', () => {
  expect(scalingOf([{ at: 0, partitions: [] }], 1)).toBeUndefined()
})

test('an event that is produced and committed between two questions does not lie behind the end of the log', async () => {
  let end = 0
  const log = {
    bounds: async () => new Map([[0, { start: 0, end }]]),
    async *read() {},
    committed: async () => {
      end++
      return new Map([[0, end]])
    },
  }
  const clock = { now: () => 0, sleep: async () => {} }
  const { partitions } = await sample('g', ['carts'], { log, clock }, [])
  expect(partitions).toMatchObject([{ committed: 1, end: 1, lag: 0 }])
})
