import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 500

/**
 * Looks until there is something to see, and gives it. Rejects after `seconds` with `what`, and with the last error if looking itself fails.
 */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + seconds * 1_000
  for (;;) {
    let trouble: unknown
    const seen = await look().catch((error: unknown) => {
      trouble = error
      return undefined
    })
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > end) throw new Error(`after ${seconds} s still not: ${what}`, { cause: trouble })
    await sleep(LOOK_EVERY_MS)
  }
}
