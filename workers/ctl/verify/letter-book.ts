import {
  type DeadLetterDesk,
  type DeadLetterStore,
  fingerprint,
  KEYLESS,
  type Scope,
} from '../../../shared/engine/index.ts'
import type { LogRecord } from '../../../shared/events/event.ts'
import { type Source, sourceText } from '../../../shared/events/position.ts'

/** A recorded dead letter, without its bytes. */
export interface Letter {
  readonly source: Source
  readonly scope: Scope
  readonly offset: number
  readonly code: string
  /**
   * `void`: unresolved, but nothing waits behind it. Its worker ended before it had parked the scope, so the event was folded once
   * more, and by then it must have succeeded, or it would be parked.
   */
  readonly state: 'parked' | 'applied' | 'skipped' | 'void'
  readonly fingerprint: string
}

/** The dead letters as they are recorded, and which of them the fold has met in the log. */
export class LetterBook {
  readonly #letters: ReadonlyMap<string, Letter>
  readonly #met = new Set<string>()
  readonly #altered = new Map<string, Letter>()

  private constructor(letters: ReadonlyMap<string, Letter>) {
    this.#letters = letters
  }

  static async load(
    desk: Pick<DeadLetterDesk, 'list'> & Pick<DeadLetterStore, 'load'>,
    sources: readonly Source[],
  ): Promise<LetterBook> {
    const letters = new Map<string, Letter>()
    for (const source of sources) {
      const listed: Letter[] = []
      for await (const piece of desk.list(source)) {
        for (const { scope, record, code, state } of piece) {
          listed.push({ source, scope, offset: record.offset, code, state, fingerprint: fingerprint(record) })
        }
      }
      // Read after the letters: a scope is recorded after its letter, and let go after the letter was resolved.
      const { parked } = await desk.load(source)
      for (const letter of listed) {
        const { scope, offset, state } = letter
        const waits = scope === KEYLESS || (parked.get(scope) ?? Number.POSITIVE_INFINITY) <= offset
        letters.set(nameOf(source, scope, offset), state === 'parked' && !waits ? { ...letter, state: 'void' } : letter)
      }
    }
    return new LetterBook(letters)
  }

  get all(): Iterable<Letter> {
    return this.#letters.values()
  }

  /** The dead letter of this event in this scope, if there is one; the log's record is compared with the one that was kept. */
  meet(source: Source, scope: Scope, record: LogRecord): Letter | undefined {
    if (this.#letters.size === 0) return undefined
    const name = nameOf(source, scope, record.offset)
    const letter = this.#letters.get(name)
    if (!letter) return undefined
    this.#met.add(name)
    if (letter.fingerprint !== fingerprint(record)) this.#altered.set(name, letter)
    return letter
  }

  /** Letters of events that the log does not have in this place: the event is not there, or waits behind another letter of its scope. */
  unmet(covers: (letter: Letter) => boolean): readonly Letter[] {
    return [...this.#letters]
      .filter(([name, letter]) => !this.#met.has(name) && covers(letter))
      .map(([, letter]) => letter)
  }

  /** Letters that keep other bytes than the log has. */
  get altered(): readonly Letter[] {
    return [...this.#altered.values()]
  }

  /** Has anything been recorded or decided between the two? */
  agrees(other: LetterBook): boolean {
    return (
      this.#letters.size === other.#letters.size &&
      [...this.#letters].every(([name, { state }]) => other.#letters.get(name)?.state === state)
    )
  }
}

function nameOf(source: Source, scope: Scope, offset: number): string {
  return `${sourceText(source)} ${offset} ${scope}`
}
