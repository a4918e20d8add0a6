import { createHash } from 'node:crypto'
import type { LogRecord } from '../events/event.ts'

/** What a record looks like: its timestamp and a hash of its key and value. Two logs that agree here are taken for the same. */
export function fingerprint({ timestamp, key, value }: LogRecord): string {
  const hash = createHash('sha1')
  // Lengths first, so that moving a byte from key to value shows.
  hash.update(`${key?.length ?? -1}/${value?.length ?? -1}/`)
  if (key) hash.update(key)
  if (value) hash.update(value)
  return `${timestamp}/${hash.digest('hex').slice(0, 24)}`
}
