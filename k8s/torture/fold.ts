/** One record of the log, as far as anyone can read it. */
export interface Entry<Event> {
  readonly offset: number
  readonly key: string
  /** Undefined: it can't be read, with the code of `fault`. */
  readonly event: Event | undefined
  readonly fault?: string
  /** Everything the record says, and when it was written (milliseconds since 1970). */
  readonly content: string
  readonly timestamp: number
}

/** A dead letter as it should be: the record, and why. */
export interface Letter {
  readonly code: string
  readonly content: string
  readonly timestamp: number
}

/** A row as it should be; `value` null: deleted. */
export interface Folded<Value> {
  readonly value: Value | null
  readonly position: number
  readonly source: string
}

/** What became of the dead letter of a scope at an offset of a partition; undefined if there is none. */
export type Decided = (scope: string, source: string, offset: number) => string | undefined

/** One view, in the plainest words. */
export interface Rules<Event, Value> {
  rowsOf(event: Event): readonly string[]
  /** Throws where a handler would. */
  apply(row: Value | null, id: string, event: Event): Value | null
  /** Under which code it fails, if it does. */
  code(event: Event): string
  /** Did it fail until the handler was repaired? */
  curable(event: Event): boolean
  /** Is a row stored as one part for each source? */
  readonly parts: boolean
}

interface Waiting<Event> {
  readonly source: string
  readonly scope: string
  readonly entries: Entry<Event>[]
  /** What had become of the first of them when this was last looked at. */
  state: string | undefined
}

const FAILED = Symbol('failed')

/**
 * A view as it should be, one plain step after the other and without any of Tidemark's code. Keeps rows and what waits, and
 * nothing of the log. Rows depend on nothing but their own events, so what waited is applied when it is freed.
 */
export class Fold<Event, Value> {
  readonly rows = new Map<string, Folded<Value>>()
  /** Every dead letter there must ever have been, by `<source> <scope> <offset>`. */
  readonly letters = new Map<string, Letter>()
  readonly #rules: Rules<Event, Value>
  readonly #waiting = new Map<string, Waiting<Event>>()

  constructor(rules: Rules<Event, Value>) {
    this.#rules = rules
  }

  /** By `<source> <scope>`: the offsets that wait, the dead letter first. */
  get parked(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#waiting].map(([name, { entries }]) => [name, entries.map(({ offset }) => offset)]))
  }

  /** Goes on with what came since. What was decided is looked at first. */
  take(entries: ReadonlyMap<string, readonly Entry<Event>[]>, decided: Decided): void {
    for (const [name, waiting] of [...this.#waiting]) {
      const { source, scope, entries, state } = waiting
      if (decided(scope, source, entries[0]!.offset) === state) continue
      this.#waiting.delete(name)
      for (const entry of entries)
        if (scope.startsWith('row:')) this.#fold(source, scope.slice(4), entry, decided)
        else this.#step(source, entry, decided)
    }
    for (const [source, added] of entries) for (const entry of added) this.#step(source, entry, decided)
  }

  /** Which rows an event is for, each with the scope it would wait in. */
  rowsOf(source: string, event: Event): readonly { readonly scope: string; readonly row: string }[] {
    return this.#rules.rowsOf(event).map((id) => ({ scope: `row:${id}`, row: this.#named(id, source) }))
  }

  #named(id: string, source: string): string {
    return this.#rules.parts ? `${id} ${source}` : id
  }

  #step(source: string, entry: Entry<Event>, decided: Decided): void {
    const scope = `key:${Buffer.from(entry.key).toString('base64')}`
    const behind = this.#waiting.get(`${source} ${scope}`)
    if (behind) {
      behind.entries.push(entry)
      return
    }
    if (entry.event !== undefined) {
      for (const id of this.#rules.rowsOf(entry.event)) this.#fold(source, id, entry, decided)
      return
    }
    this.#bury(source, scope, entry, entry.fault ?? '')
    if (decided(scope, source, entry.offset) !== 'skipped') this.#park(source, scope, entry, decided)
  }

  #fold(source: string, id: string, entry: Entry<Event>, decided: Decided): void {
    const { offset, event } = entry
    if (event === undefined) throw new Error(`what can't be read has no rows: ${source}/${offset}`)
    const scope = `row:${id}`
    const behind = this.#waiting.get(`${source} ${scope}`)
    if (behind) {
      behind.entries.push(entry)
      return
    }
    const name = this.#named(id, source)
    const after = attempt(() => this.#rules.apply(this.rows.get(name)?.value ?? null, id, event))
    const state = decided(scope, source, offset)
    // Of a curable one only its dead letter tells whether it met the repaired handler.
    const letter = after === FAILED || (state !== undefined && this.#rules.curable(event))
    if (letter) this.#bury(source, scope, entry, this.#rules.code(event))
    if (letter && state === 'skipped') return
    if (after === FAILED || (letter && state === 'parked')) this.#park(source, scope, entry, decided)
    else this.rows.set(name, { value: after, position: offset, source })
  }

  #bury(source: string, scope: string, { offset, content, timestamp }: Entry<Event>, code: string): void {
    this.letters.set(`${source} ${scope} ${offset}`, { code, content, timestamp })
  }

  #park(source: string, scope: string, entry: Entry<Event>, decided: Decided): void {
    const state = decided(scope, source, entry.offset)
    this.#waiting.set(`${source} ${scope}`, { source, scope, entries: [entry], state })
  }
}

function attempt<T>(work: () => T): T | typeof FAILED {
  try {
    return work()
  } catch {
    return FAILED
  }
}
