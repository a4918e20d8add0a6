import { setTimeout as sleep } from 'node:timers/promises'
import { errors } from 'cassandra-driver'
import { isKind } from '../../shared/errors.ts'

/** Between two looks. Milliseconds. */
const AUDIT_MS = 1_000
/** What Cassandra answers when the question is wrong, and not the weather. */
const WRONG_QUESTION = 0x2000

/** Looks again and again whether commits follow writes. What can't be looked at because a server is away is looked at later. */
export class Audit {
  readonly #look: () => Promise<readonly string[]>
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #differences: string[] = []
  /** Why the last look that failed did. */
  #away: unknown
  /** How often all was seen. */
  count = 0

  constructor(look: () => Promise<readonly string[]>) {
    this.#look = look
    this.#running = this.#run()
  }

  /** What was found, each a sentence; a fault of the audit's own and, unless there was an `outage`, an audit that saw nothing are too. */
  async end(outage: boolean): Promise<readonly string[]> {
    this.#stop.abort()
    await this.#running
    if (this.count === 0 && !outage) this.#differences.push(`the audit has seen nothing: ${said(this.#away)}`)
    return this.#differences
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#differences.push(...(await this.#look()))
        this.count++
      } catch (error) {
        this.#away = error
        if (!isAway(error)) this.#differences.push(`the audit failed: ${said(error)}`)
      }
      await sleep(AUDIT_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }
}

/** Did a look fail because a server could not answer? Everything else is a fault in what looks, or in what it found. */
export function isAway(error: unknown): boolean {
  if (isKind(error, 'transient')) return true
  if (error instanceof errors.ResponseError) return error.code < WRONG_QUESTION
  return [errors.NoHostAvailableError, errors.OperationTimedOutError, errors.BusyConnectionError].some(
    (kind) => error instanceof kind,
  )
}

function said(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
