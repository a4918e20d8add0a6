import { describe, expect, test } from 'vitest'
import { keepPace, type Plan } from './pace.ts'

/** A clock that goes on only by waiting, and a receiver that takes `msPerEvent`. */
async function run(plan: Partial<Plan>, msPerEvent = 0, abortAt = Number.POSITIVE_INFINITY) {
  let time = 1_000
  const stop = new AbortController()
  const clock = {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds
    },
  }
  const sent: { readonly at: number; readonly due: number }[] = []
  const pace = await keepPace({ rate: 100, batch: 1_000, ...plan }, clock, stop.signal, async (count, dueMs) => {
    for (let index = 0; index < count; index++) sent.push({ at: time - 1_000, due: dueMs(index) })
    time += count * msPerEvent
    if (time - 1_000 >= abortAt) stop.abort()
  })
  return { pace, sent }
}

describe('the pace', () => {
  test('is kept over a long time without drift: no event early, none later than the shortest wait', async () => {
    const { pace, sent } = await run({ rate: 333, durationMs: 60_000 })
    expect(pace).toMatchObject({ sent: 19_980, behind: 0 })
    for (const [index, { at, due }] of sent.entries()) {
      expect(due).toBeCloseTo((index * 1_000) / 333, 6)
      expect(at - due).toBeGreaterThanOrEqual(-1e-6)
      expect(at - due).toBeLessThan(6)
    }
  })

  test('is not slowed down by a receiver that is slow at times, in steps of at most a batch', async () => {
    const { pace, sent } = await run({ rate: 100, events: 1_000, batch: 7 }, 5)
    expect(pace.sent).toBe(1_000)
    expect(pace.elapsedMs).toBeLessThan(10_100)
    expect(sent.at(-1)?.due).toBe(9_990)
  })

  test('ends when its time is over, and says how far it fell behind a receiver that is too slow', async () => {
    const { pace } = await run({ rate: 1_000, durationMs: 5_000, batch: 50 }, 2)
    expect(pace.elapsedMs).toBeLessThan(6_200)
    expect(pace.sent).toBeLessThan(3_200)
    expect(pace.behind).toBe(5_000 - pace.sent)
  })

  test('ends at the number of events, or when it is told to', async () => {
    expect((await run({ events: 5, durationMs: 60_000 })).pace.sent).toBe(5)
    expect((await run({ rate: 100 }, 1, 2_000)).pace.sent).toBeLessThan(220)
  })
})
