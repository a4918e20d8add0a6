import { createHash } from 'node:crypto'
import { because, TidemarkError } from '../errors.ts'
import type { LogRecord } from '../events/event.ts'
import type { Source } from '../events/position.ts'
import type { DeadLetter, ParkedEvent, Scope, SetAsideState } from './ports.ts'

/** The scope of a record without a key. Such records have no order among them, so it never parks anything. */
export const KEYLESS: Scope = 'key:'

export function rowScope(id: string): Scope {
  return `row:${short(id)}`
}

/** An empty key is a key: its records have an order. */
export function keyScope(key: Buffer | null): Scope {
  if (key === null) return KEYLESS
  return key.length === 0 ? 'key:=' : `key:${short(key.toString('base64'))}`
}

/** Scopes are keys in Cassandra, which takes no more than 65,535 bytes; long ones are told apart by their hash. */
function short(name: string): string {
  return name.length <= 4_096 ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`
}

/**
 * What one partition has set aside (DESIGN §8): the scopes whose events wait, and what has to be recorded with the next flush.
 * A scope waits from its dead letter's offset on; events before that offset, delivered again, are none of its business.
 */
export class SetAside {
  readonly source: Source
  #since: Map<Scope, number>
  /** Those of them that the store knows of. */
  readonly #recorded: Map<Scope, number>
  readonly #skipped: Set<string>
  #letters: DeadLetter[] = []
  #events: ParkedEvent[] = []
  #bytes = 0

  constructor(source: Source, state: SetAsideState) {
    this.source = source
    this.#since = new Map(state.parked)
    this.#since.delete(KEYLESS)
    this.#recorded = new Map(this.#since)
    this.#skipped = new Set(state.skipped)
  }

  /** How many scopes wait. */
  get size(): number {
    return this.#since.size
  }

  /** Nothing waits and nothing is to be left out: no event needs to be asked about. */
  get idle(): boolean {
    return this.#since.size === 0 && this.#skipped.size === 0
  }

  /** Is there something that a flush has to record? */
  get pending(): number {
    return this.#letters.length + this.#events.length
  }

  /** Bytes of what a flush has to record. */
  get pendingBytes(): number {
    return this.#bytes
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
    return this.#skipped.has(`${offset}/${scope}`)
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
    this.#bytes += sizeOf(record)
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
    this.#bytes += sizeOf(record)
  }

  /** The scope waits (again) behind the dead letter at `since`. */
  hold(scope: Scope, since: number): void {
    if (scope === KEYLESS) return
    this.#since.set(scope, since)
    this.#recorded.set(scope, since)
  }

  /** What is not recorded yet will be found again: its events are going to be folded again. */
  forget(): void {
    this.#letters = []
    this.#bytes = 0
    this.#events = []
    this.#since = new Map(this.#recorded)
  }

  /** The scope's dead letter is out of the way. */
  release(scope: Scope): void {
    this.#since.delete(scope)
    this.#recorded.delete(scope)
  }

  skip(scope: Scope, offset: number): void {
    this.#skipped.add(`${offset}/${scope}`)
  }

  /** The decision could not be carried out. */
  unskip(scope: Scope, offset: number): void {
    this.#skipped.delete(`${offset}/${scope}`)
  }

  /** Everything is as the store has it. Nothing may be pending. */
  renew({ parked, skipped }: SetAsideState): void {
    this.#since = new Map(parked)
    this.#since.delete(KEYLESS)
    this.#recorded.clear()
    for (const [scope, since] of this.#since) this.#recorded.set(scope, since)
    for (const one of skipped) this.#skipped.add(one)
  }

  /** What the store has beyond what is known here waits, or is skipped, here, too. */
  learn({ parked, resolved, skipped }: SetAsideState): void {
    for (const one of skipped) this.#skipped.add(one)
    for (const [scope, since] of parked) if (!this.#since.has(scope) && !resolved.has(scope)) this.hold(scope, since)
  }

  /** Takes what has to be recorded. What is taken must become durable before the offset is committed. */
  take(): { readonly letters: readonly DeadLetter[]; readonly events: readonly ParkedEvent[] } {
    const taken = { letters: this.#letters, events: this.#events }
    this.#letters = []
    this.#bytes = 0
    this.#events = []
    return taken
  }

  /** These are durable now. */
  recorded(letters: readonly DeadLetter[]): void {
    for (const { scope, record } of letters)
      if (this.#since.get(scope) === record.offset) this.#recorded.set(scope, record.offset)
  }

  /** Is this what the store holds? If not, another worker has had the partition meanwhile. */
  agrees(parked: ReadonlyMap<Scope, number>): boolean {
    const stored = new Map(parked)
    stored.delete(KEYLESS)
    return stored.size === this.#since.size && [...stored].every(([scope, since]) => this.#since.get(scope) === since)
  }
}

function sizeOf({ key, value }: LogRecord): number {
  return 500 + (key?.length ?? 0) + (value?.length ?? 0)
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

/**
 * Which dead letter each scope waits behind, of the offsets (lowest first) that hold it: the first nobody has decided about. A worker
 * that came late may have held a scope again behind one that was decided, and only such are left of a `resolved` scope. `decided`
 * holds `<offset>/<scope>`.
 */
export function waitingBehind(
  held: ReadonlyMap<Scope, readonly number[]>,
  decided: ReadonlySet<string>,
): Pick<SetAsideState, 'parked' | 'resolved'> {
  const parked = new Map<Scope, number>()
  const resolved = new Set<Scope>()
  for (const [scope, offsets] of held) {
    const open = offsets.find((offset) => !decided.has(`${offset}/${scope}`))
    if (open === undefined) resolved.add(scope)
    parked.set(scope, open ?? offsets[0] ?? 0)
  }
  return { parked, resolved }
}
