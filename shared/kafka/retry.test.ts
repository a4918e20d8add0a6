import { expect, test, vi } from 'vitest'
import { persist } from './retry.ts'
import { silent } from './settings.ts'
import { KeptLog } from './stand-ins.ts'

const away = Object.assign(new Error('away'), { type: 'COORDINATOR_NOT_AVAILABLE' })
const unknown = Object.assign(new Error('no such topic'), { type: 'UNKNOWN_TOPIC_OR_PARTITION' })

test('a signal ends the pause between two attempts with its own reason', async () => {
  const ending = new AbortController()
  const enough = new Error('enough')
  const logger = new KeptLog(() => ending.abort(enough))
  const outcome = persist('asking', () => Promise.reject(away), { logger, signal: ending.signal })
  await expect(outcome).rejects.toBe(enough)
  expect(logger.lines).toHaveLength(1)
})

test('a signal ends an attempt that is not answered with its own reason', async () => {
  const ending = new AbortController()
  const enough = new Error('enough')
  const outcome = persist('asking', () => new Promise(() => {}), { logger: silent, signal: ending.signal })
  ending.abort(enough)
  await expect(outcome).rejects.toBe(enough)
})

test('how long a topic may be unknown is counted from the first such answer, not from the start of an outage before', async () => {
  vi.useFakeTimers()
  try {
    const begun = performance.now()
    const work = async () => {
      const passed = performance.now() - begun
      if (passed < 60_000) throw away
      if (passed < 80_000) throw unknown
      return 'found'
    }
    const outcome = persist('asking', work, { logger: silent, missing: 30_000 })
    await vi.advanceTimersByTimeAsync(90_000)
    expect(await outcome).toBe('found')
    const lost = persist('asking', () => Promise.reject(unknown), { logger: silent, missing: 30_000 })
    const code = expect(lost).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
    await vi.advanceTimersByTimeAsync(31_000)
    await code
  } finally {
    vi.useRealTimers()
  }
})
