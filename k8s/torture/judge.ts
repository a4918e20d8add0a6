import { isDeepStrictEqual } from 'node:util'
import type { KafkaLog } from '../../shared/kafka/index.ts'
import type { Decided, Entry, Fold, Folded } from './fold.ts'
import { accountsFold, entryOf, type Happened, shopsFold } from './oracle.ts'
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

/** Follows the log of one world, and says what is not as it must be. What was folded is forgotten. */
export class Judge {
  readonly #log: LogReader
  readonly #stored: Reader
  readonly #world: string
  readonly #topic: string
  readonly #accounts = accountsFold(() => this.#healed)
  readonly #shops = shopsFold()
  /** Read, and not folded yet. */
  #entries = new Map<string, Entry<Happened>[]>()
  readonly #next = new Map<string, number>()
  readonly #seen = new Map<string, number>()
  #healed = false
  /** How many events the log had when last read. */
  events = 0

  constructor(log: LogReader, stored: Reader, world: string, topic: string) {
    this.#log = log
    this.#stored = stored
    this.#world = world
    this.#topic = topic
  }

  /** To be asked when all is caught up: every row, position, dead letter and waiting event against the fold. */
  async judge(healed: boolean): Promise<Verdict> {
    await this.#readLog()
    this.#healed = healed
    const differences: string[] = []
    const names = [`accounts-${this.#world}`, `shops-${this.#world}`] as const
    const sources = [...this.#next.keys()]
    const [accountLetters, shopLetters, accounts, shops] = await Promise.all([
      this.#stored.letters(names[0], sources),
      this.#stored.letters(names[1], sources),
      this.#stored.accounts(),
      this.#stored.shops(),
    ])
    this.#accounts.take(this.#entries, decidedBy(accountLetters))
    this.#shops.take(this.#entries, decidedBy(shopLetters))
    this.#entries = new Map()
    compareRows(names[0], this.#accounts.rows, accounts, differences)
    compareRows(names[1], this.#shops.rows, shops, differences)
    this.#compareWithBefore(accounts, differences)
    const waiting = await this.#stored.waiting(names)
    compareLetters(names[0], this.#accounts, accountLetters, differences)
    compareLetters(names[1], this.#shops, shopLetters, differences)
    compareWaiting(names[0], this.#accounts, waiting.get(names[0])!, differences)
    compareWaiting(names[1], this.#shops, waiting.get(names[1])!, differences)
    const counts = [this.#accounts, this.#shops].map(({ parked }) =>
      [...parked.values()].reduce((sum, { length }) => sum + length - 1, 0),
    )
    return {
      differences,
      rows: accounts.size + shops.size,
      deadLetters: accountLetters.length + shopLetters.length,
      decidable: counts[0]!,
      waiting: counts[0]! + counts[1]!,
    }
  }

  /**
   * DESIGN §1.2, in the midst of everything: what was committed before the table is read is in the table, and no position goes
   * back. Looks at accounts without dead letters, and events since the last judgement, for rows have not gone back since.
   */
  async commitsFollowWrites(): Promise<readonly string[]> {
    const committed = await this.#log.committed(`accounts-${this.#world}.v1`, this.#topic)
    await this.#readLog()
    const stored = await this.#stored.accounts()
    const letters = await this.#stored.letters(`accounts-${this.#world}`, [...this.#next.keys()])
    const aside = new Set(letters.map(({ scope }) => scope))
    const differences: string[] = []
    this.#compareWithBefore(stored, differences)
    for (const [source, entries] of this.#entries) {
      const next = committed.get(Number(source.split('/')[1])) ?? 0
      const last = new Map<string, number>()
      for (const { offset, key, event } of entries) {
        if (offset >= next) break
        if (!event || aside.has(`key:${Buffer.from(key).toString('base64')}`)) continue
        last.set(event.data.account, offset)
      }
      for (const [id, offset] of last) {
        const position = stored.get(id)?.position ?? -1
        if (position < offset && !aside.has(`row:${id}`))
          differences.push(`${source} is committed up to ${next}, but ${id} stands at ${position}, before ${offset}`)
      }
    }
    return differences
  }

  /** Positions never go back. */
  #compareWithBefore(accounts: ReadonlyMap<string, Folded<unknown>>, differences: string[]): void {
    for (const [id, { position }] of accounts) {
      const before = this.#seen.get(id) ?? -1
      if (position < before) differences.push(`account ${id} went back from ${before} to ${position}`)
      this.#seen.set(id, position)
    }
  }

  async #readLog(): Promise<void> {
    for (const [partition, { end }] of await this.#log.bounds(this.#topic)) {
      const source = `${this.#topic}/${partition}`
      const entries = this.#entries.get(source) ?? []
      this.#entries.set(source, entries)
      const from = this.#next.get(source) ?? 0
      for await (const records of this.#log.read({ topic: this.#topic, partition }, from, end)) {
        for (const record of records) entries.push(entryOf(record))
        this.#next.set(source, records.at(-1)!.offset + 1)
        this.events += records.length
      }
      this.#next.set(source, end)
    }
  }
}

function decidedBy(letters: readonly StoredLetter[]): Decided {
  const states = new Map(letters.map(({ source, scope, offset, state }) => [`${source} ${scope} ${offset}`, state]))
  return (scope, source, offset) => states.get(`${source} ${scope} ${offset}`)
}

/** Each poison event is there once, and no other; open while something waits behind it. */
function compareLetters(
  name: string,
  { letters, parked }: Fold<Happened, unknown>,
  stored: readonly StoredLetter[],
  differences: string[],
): void {
  const open = new Set([...parked].map(([scope, [first]]) => `${scope} ${first}`))
  const found = new Map<string, string>()
  for (const { source, scope, offset, state } of stored) {
    const letter = `${source} ${scope} ${offset}`
    if (found.has(letter)) differences.push(`${name}: ${letter} is there twice`)
    found.set(letter, state)
    if (!letters.has(letter)) differences.push(`${name}: ${letter} is a dead letter, and should not be`)
    else if (open.has(letter) !== (state === 'parked'))
      differences.push(
        `${name}: dead letter ${letter} is ${state}, though it ${open.has(letter) ? 'holds' : 'should not hold'} its scope`,
      )
  }
  for (const letter of letters) if (!found.has(letter)) differences.push(`${name}: no dead letter for ${letter}`)
}

/** What waits is kept in order, all of it and nothing else. */
function compareWaiting(
  name: string,
  { parked }: Fold<Happened, unknown>,
  stored: ReadonlyMap<string, readonly number[]>,
  differences: string[],
): void {
  for (const [scope, offsets] of parked) {
    const kept = stored.get(scope) ?? []
    if (!isDeepStrictEqual(kept, offsets))
      differences.push(`${name}: behind ${scope} wait ${kept.join(' ')}, and should ${offsets.join(' ')}`)
  }
  for (const [scope, { length }] of stored)
    if (!parked.has(scope)) differences.push(`${name}: ${length} events wait in ${scope}, and should not`)
}

function compareRows<Value>(
  name: string,
  rows: ReadonlyMap<string, Folded<Value>>,
  stored: ReadonlyMap<string, Folded<Value>>,
  differences: string[],
): void {
  for (const id of new Set([...rows.keys(), ...stored.keys()])) {
    const [want, have] = [rows.get(id), stored.get(id)]
    if (!isDeepStrictEqual(want, have)) differences.push(`${name}: ${id} is ${text(have)}, and should be ${text(want)}`)
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? 'missing'
}
