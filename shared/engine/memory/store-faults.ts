import { TidemarkError } from '../../errors.ts'

/** The calls of the stores, by port and method. */
export type Operation =
  | `view.${'read' | 'write' | 'get' | 'list' | 'scan'}`
  | `progress.${'load' | 'save'}`
  | `deadLetters.${'load' | 'record' | 'events' | 'resolve' | 'release' | 'requests' | 'answer'}`
  | `versions.${'load' | 'list' | 'tables' | 'save' | 'served' | 'serve'}`

/** A write that has taken effect, in the order in which it did. */
export interface JournalEntry {
  readonly operation: Operation
  /** `carts/3`; empty for versions. */
  readonly source: string
  /** The position, offset or `at` of the write. */
  readonly offset: number
  /** The row's id, or the scope. */
  readonly id: string
}

/** A call that waits for the test. */
export interface HeldCall {
  readonly operation: Operation
  release(): void
  /** Ends the call with CASSANDRA_UNAVAILABLE; held `before`, it has no effect, held `after`, it has had all of it. */
  fail(): void
}

/** Holds calls until they are released, in any order. */
export interface Gate {
  /** Those waiting now. */
  readonly calls: readonly HeldCall[]
  /** Resolves when at least so many calls wait. */
  waiting(count: number): Promise<void>
  /** Releases all and holds no more. */
  open(): void
}

/** What a call still does to the store although it fails. */
export type Applied = 'none' | 'some' | 'all'

/** How a test makes the world fail. */
export interface StoreFaults {
  /** The next calls (of `on`, or of any operation) reject with CASSANDRA_UNAVAILABLE, `applied` having taken effect. */
  failNext(calls: number, options?: { applied?: Applied; on?: Operation }): void
  /** Holds calls (of `on`, or of any operation) `before` they take effect, as if still on the wire, or `after`, as if their answer were. */
  hold(when: 'before' | 'after', on?: Operation): Gate
}

interface Failure {
  left: number
  readonly applied: Applied
  readonly on: Operation | undefined
}

/** One effect of a call: what it does and how the journal names it. */
export interface Effect {
  readonly apply: () => void
  readonly entry: JournalEntry
  /** Is it written only when all before it have been? */
  readonly last?: boolean
}

/** Runs the stores' calls, and lets tests interfere. `seed` decides which part of a failing call is applied. */
export class Faults implements StoreFaults {
  readonly journal: JournalEntry[] = []
  readonly #failures: Failure[] = []
  readonly #gates: {
    readonly when: 'before' | 'after'
    readonly on: Operation | undefined
    readonly gate: OpenableGate
  }[] = []
  #seed: number

  constructor(seed = 1) {
    this.#seed = seed
  }

  failNext(calls: number, { applied = 'none', on }: { applied?: Applied; on?: Operation } = {}): void {
    this.#failures.push({ left: calls, applied, on })
  }

  hold(when: 'before' | 'after', on?: Operation): Gate {
    const gate = new OpenableGate()
    this.#gates.push({ when, on, gate })
    return gate
  }

  async run<T>(operation: Operation, effects: readonly Effect[], result: () => T): Promise<T> {
    await this.#pass('before', operation)
    const failure = this.#failures.find(({ left, on }) => left > 0 && (on === undefined || on === operation))
    if (failure) {
      failure.left -= 1
      if (failure.applied !== 'none') {
        let whole = true
        for (const effect of effects) {
          if ((failure.applied === 'all' || this.#coin()) && (whole || !effect.last)) this.#apply(effect)
          else whole = false
        }
      }
      await Promise.resolve()
      throw unavailable(operation)
    }
    for (const effect of effects) this.#apply(effect)
    const value = result()
    await this.#pass('after', operation)
    return value
  }

  async #pass(when: 'before' | 'after', operation: Operation): Promise<void> {
    for (const held of this.#gates)
      if (held.when === when && (held.on === undefined || held.on === operation)) await held.gate.pass(operation)
  }

  #apply({ apply, entry }: Effect): void {
    apply()
    this.journal.push(entry)
  }

  #coin(): boolean {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return (this.#seed & 0x10000) !== 0
  }
}

class OpenableGate implements Gate {
  readonly #calls = new Set<HeldCall>()
  readonly #watchers: { readonly count: number; readonly resolve: () => void }[] = []
  #opened = false

  get calls(): readonly HeldCall[] {
    return [...this.#calls]
  }

  waiting(count: number): Promise<void> {
    if (this.#calls.size >= count) return Promise.resolve()
    return new Promise((resolve) => this.#watchers.push({ count, resolve }))
  }

  open(): void {
    this.#opened = true
    for (const call of this.calls) call.release()
  }

  pass(operation: Operation): Promise<void> {
    if (this.#opened) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const call: HeldCall = {
        operation,
        release: () => {
          this.#calls.delete(call)
          resolve()
        },
        fail: () => {
          this.#calls.delete(call)
          reject(unavailable(operation))
        },
      }
      this.#calls.add(call)
      for (const { count, resolve: notify } of this.#watchers) if (this.#calls.size >= count) notify()
    })
  }
}

function unavailable(operation: Operation): TidemarkError {
  return new TidemarkError('CASSANDRA_UNAVAILABLE', `${operation} failed because a test wanted it to`)
}
