import { because, TidemarkError } from '../errors.ts'
import type { LogRecord } from '../events/event.ts'
import type { Source } from '../events/position.ts'
import type { DeadLetter, ParkedEvent, Scope, SetAsideState } from './ports.ts'

/** The scope of a record without a key. Such records have no order among them, so it never parks anything. */
export const KEYLESS: Scope = 'key:'

export function rowScope(id: string): Scope {
  return `row:${id}`
}

export function keyScope(key: Buffer | null): Scope {
  return key === null ? KEYLESS : `key:${key.toString('base64')}`
}

/**
 * What one partition has set aside (DESIGN §8): the scopes whose events wait, and what has to be recorded with the next flush.
 * A scope waits from its dead letter's offset on; events before that offset, delivered again, are none of its business.
 */
export class SetAside {
  readonly source: Source
  readonly #since: Map<Scope, number>
  readonly #skipped: Set<string>
  #letters: DeadLetter[] = []
  #events: ParkedEvent[] = []

  constructor(source: Source, state: SetAsideState) {
    this.source = source
    this.#since = new Map(state.parked)
    this.#since.delete(KEYLESS)
    this.#skipped = new Set(state.skipped)
  }

  /** How many scopes wait. */
  get size(): number {
    return this.#since.size
  }

  /** Is there something that a flush has to record? */
  get pending(): number {
    return this.#letters.length + this.#events.length
  }

  /** The scopes that wait, each with the offset of its dead letter. */
  scopes(): readonly (readonly [Scope, number])[] {
    return [...this.#since]
  }

  /** The offset of the dead letter a scope waits behind. */
  since(scope: Scope): number | undefined {
    return this.#since.get(scope)
  }

  waits(scope: Scope, offset: number): boolean {
    const since = this.#since.get(scope)
    return since !== undefined && since <= offset
  }

  /** Has a person decided that this event is to be passed over? */
  skipped(scope: Scope, offset: number): boolean {
    return this.#skipped.size > 0 && this.#skipped.has(`${offset}/${scope}`)
  }

  /** A poison event: kept with its reason, and in the way of its scope from now on (unless `onPoison` says skip). */
  bury(scope: Scope, record: LogRecord, error: unknown, onPoison: 'park' | 'skip'): DeadLetter {
    const code = error instanceof TidemarkError ? error.code : 'HANDLER_FAILED'
    const letter: DeadLetter = {
      source: this.source,
      scope,
      record: copied(record),
      code,
      reason: because(error),
      state: onPoison === 'skip' ? 'skipped' : 'parked',
    }
    this.#letters.push(letter)
    if (onPoison === 'skip') this.#skipped.add(`${record.offset}/${scope}`)
    else if (scope !== KEYLESS) this.#since.set(scope, record.offset)
    return letter
  }

  /** Why the scope waits behind the event at `offset`, if that was found out since the last `take`. */
  reason(scope: Scope, offset: number): string {
    const letter = this.#letters.find((letter) => letter.scope === scope && letter.record.offset === offset)
    return letter ? `${letter.code}: ${letter.reason}` : ''
  }

  /** A later event of a scope that waits. The dead letter itself, delivered again, is kept already. */
  park(scope: Scope, record: LogRecord): void {
    const since = this.#since.get(scope)
    if (since === undefined || since === record.offset) return
    this.#events.push({ scope, since, record: copied(record) })
  }

  /** The scope waits (again) behind the dead letter at `since`. */
  hold(scope: Scope, since: number): void {
    if (scope !== KEYLESS) this.#since.set(scope, since)
  }

  /** Everything from `offset` on will be folded again, and what is to be set aside is found again. */
  forget(offset: number): void {
    this.#letters = []
    this.#events = []
    for (const [scope, since] of this.#since) if (since >= offset) this.#since.delete(scope)
  }

  /** The scope's dead letter is out of the way. */
  release(scope: Scope): void {
    this.#since.delete(scope)
  }

  skip(scope: Scope, offset: number): void {
    this.#skipped.add(`${offset}/${scope}`)
  }

  /** Takes over what was decided elsewhere. */
  adopt(skipped: ReadonlySet<string>): void {
    for (const one of skipped) this.#skipped.add(one)
  }

  /** Takes what has to be recorded. What is taken must become durable before the offset is committed. */
  take(): { readonly letters: readonly DeadLetter[]; readonly events: readonly ParkedEvent[] } {
    const taken = { letters: this.#letters, events: this.#events }
    this.#letters = []
    this.#events = []
    return taken
  }

  /** Is this what the store holds? If not, another worker has had the partition meanwhile. */
  agrees(parked: ReadonlyMap<Scope, number>): boolean {
    const stored = new Map(parked)
    stored.delete(KEYLESS)
    return stored.size === this.#since.size && [...stored].every(([scope, since]) => this.#since.get(scope) === since)
  }
}

/** Records are views of the fetch they came with; keeping one would keep all of it. */
function copied({ offset, timestamp, key, value, headers }: LogRecord): LogRecord {
  const own = (bytes: Buffer | string) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes))
  return {
    offset,
    timestamp,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, part]) => [
        name,
        part === null || part === undefined
          ? part
          : typeof part === 'string' || Buffer.isBuffer(part)
            ? own(part)
            : part.map(own),
      ]),
    ),
  }
}
