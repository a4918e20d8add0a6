import type { KafkaLog } from '../../shared/kafka/index.ts'
import { commitsAhead } from './ahead.ts'
import { lettersDiffer, rowsDiffer, waitingDiffers } from './compare.ts'
import type { Decided, Entry, Fold, Folded } from './fold.ts'
import { accountsFold, entryOf, type Happened, shopsFold } from './oracle.ts'
import type { Published } from './published.ts'
import type { Stored, StoredLetter } from './stored.ts'

export interface Verdict {
  /** Each a sentence. */
  readonly differences: readonly string[]
  readonly rows: number
  readonly deadLetters: number
  /** Events that wait behind dead letters: of accounts, about which it can be decided, and of both views. */
  readonly decidable: number
  readonly waiting: number
}

type LogReader = Pick<KafkaLog, 'bounds' | 'read' | 'committed'>
type Reader = Pick<Stored, 'accounts' | 'shops' | 'letters' | 'waiting'>

interface View {
  readonly name: string
  readonly fold: Fold<Happened, unknown>
  /** What is stored of it. */
  rows(): Promise<ReadonlyMap<string, Folded<unknown>>>
  /** By row: the last position it was seen at. */
  readonly seen: Map<string, number>
}

/** Follows the log of one world, and says what is not as it must be. What was folded is forgotten. */
export class Judge {
  readonly #log: LogReader
  readonly #stored: Reader
  readonly #published: Pick<Published, 'met' | 'differences'>
  readonly #topic: string
  /** Accounts, then shops. */
  readonly #views: readonly [View, View]
  /** Read, and not folded yet. */
  #entries = new Map<string, Entry<Happened>[]>()
  readonly #next = new Map<string, number>()
  /** Offsets that the log has and nobody was given, each a sentence. */
  readonly #missing: string[] = []
  #healed = false
  /** How many events the log had when last read. */
  events = 0

  constructor(
    log: LogReader,
    stored: Reader,
    world: string,
    topic: string,
    published: Pick<Published, 'met' | 'differences'>,
  ) {
    this.#log = log
    this.#stored = stored
    this.#topic = topic
    this.#published = published
    const accounts = accountsFold(() => this.#healed)
    this.#views = [
      { name: `accounts-${world}`, fold: accounts, rows: () => stored.accounts(), seen: new Map() },
      { name: `shops-${world}`, fold: shopsFold(), rows: () => stored.shops(), seen: new Map() },
    ]
  }

  /**
   * To be asked when all is caught up and nothing is being published: what was published against the log as it is read, and every
   * row, position, dead letter and waiting event against the fold of that.
   */
  async judge(healed: boolean): Promise<Verdict> {
    await this.#readLog()
    this.#healed = healed
    const differences = [...this.#missing.splice(0), ...this.#published.differences()]
    const waiting = await this.#stored.waiting(this.#views.map(({ name }) => name))
    let [rowCount, letterCount] = [0, 0]
    for (const view of this.#views) {
      const { name, fold } = view
      const [letters, rows] = await Promise.all([this.#letters(view), view.rows()])
      fold.take(this.#entries, decidedBy(letters))
      differences.push(
        ...rowsDiffer(name, fold.rows, rows),
        ...backwards(view, rows),
        ...lettersDiffer(name, fold, letters),
        ...waitingDiffers(name, fold, waiting.get(name) ?? new Map()),
      )
      rowCount += rows.size
      letterCount += letters.length
    }
    this.#entries = new Map()
    const [decidable, others] = this.#views.map(({ fold }) =>
      [...fold.parked.values()].reduce((sum, { length }) => sum + length - 1, 0),
    )
    return {
      differences,
      rows: rowCount,
      deadLetters: letterCount,
      decidable: decidable ?? 0,
      waiting: (decidable ?? 0) + (others ?? 0),
    }
  }

  /**
   * DESIGN §1.2, in the midst of everything: what was committed before a table is read is in the table, and no position goes
   * back. Looks at events since the last judgement, for rows have not gone back since.
   */
  async commitsFollowWrites(): Promise<readonly string[]> {
    const looks = await Promise.all(this.#views.map(async (view) => ({ view, committed: await this.#committed(view) })))
    await this.#readLog()
    const found = looks.map(async ({ view, committed }) => {
      const before = await this.#letters(view)
      const rows = await view.rows()
      const letters = [...before, ...(await this.#letters(view))]
      return [
        ...backwards(view, rows),
        ...commitsAhead(view.name, view.fold, this.#entries, { committed, letters, rows }),
      ]
    })
    return (await Promise.all(found)).flat()
  }

  #committed({ name }: View): Promise<ReadonlyMap<number, number>> {
    return this.#log.committed(`${name}.v1`, this.#topic)
  }

  #letters({ name }: View): Promise<readonly StoredLetter[]> {
    return this.#stored.letters(name, [...this.#next.keys()])
  }

  async #readLog(): Promise<void> {
    for (const [partition, { end }] of await this.#log.bounds(this.#topic)) {
      const source = `${this.#topic}/${partition}`
      const entries = this.#entries.get(source) ?? []
      this.#entries.set(source, entries)
      let next = this.#next.get(source) ?? 0
      for await (const records of this.#log.read({ topic: this.#topic, partition }, next, end)) {
        for (const record of records) {
          const entry = entryOf(record)
          this.#expect(source, next, entry.offset)
          this.#published.met(`${source}/${entry.offset}`, entry.content)
          entries.push(entry)
          next = entry.offset + 1
          this.#next.set(source, next)
        }
        this.events += records.length
      }
      this.#expect(source, next, Math.max(next, end))
      this.#next.set(source, Math.max(next, end))
    }
  }

  /** Nobody deletes, compacts or writes transactions here: no offset is without a record. */
  #expect(source: string, wanted: number, found: number): void {
    if (wanted !== found) this.#missing.push(`${source} has offset ${wanted}, and what is read goes on at ${found}`)
  }
}

/** Positions never go back: which have, each a sentence. */
function backwards({ name, seen }: View, rows: ReadonlyMap<string, Folded<unknown>>): readonly string[] {
  return [...rows].flatMap(([id, { position }]) => {
    const before = seen.get(id) ?? -1
    seen.set(id, position)
    return position < before ? [`${name}: ${id} went back from ${before} to ${position}`] : []
  })
}

function decidedBy(letters: readonly StoredLetter[]): Decided {
  const states = new Map(letters.map(({ source, scope, offset, state }) => [`${source} ${scope} ${offset}`, state]))
  return (scope, source, offset) => states.get(`${source} ${scope} ${offset}`)
}
