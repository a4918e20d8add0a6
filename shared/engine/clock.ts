import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import type { Clock } from './ports.ts'

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(milliseconds, signal) {
    // Zero is a turn of the event loop; a timer would make it a millisecond.
    if (milliseconds <= 0) await turn()
    else await wait(milliseconds, undefined, signal ? { signal } : {}).catch(() => undefined)
  },
}
