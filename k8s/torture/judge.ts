import { isDeepStrictEqual } from 'node:util'
import type { KafkaLog } from '../../shared/kafka/index.ts'
import { type Decided, type Entry, type Expectation, entryOf, expected, type Folded } from './oracle.ts'
import type { Stored, StoredLetter } from './stored.ts'

export interface Verdict {
  /** Each a sentence. */
  readonly differences: readonly string[]
  readonly rows: number
  readonly deadLetters: number
  readonly waiting: number
}

/** Knows the log of one world, and says what is not as it must be. */
export class Judge {
  readonly #log: KafkaLog
  readonly #stored: Stored
  readonly #world: string
  readonly #topic: string
  readonly #entries = new Map<string, Entry[]>()
  readonly #next = new Map<string, number>()
  readonly #seen = new Map<string, number>()

  constructor(log: KafkaLog, stored: Stored, world: string, topic: string) {
    this.#log = log
    this.#stored = stored
    this.#world = world
    this.#topic = topic
  }

  get events(): number {
    return [...this.#entries.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** To be asked when all is caught up: every row, position, dead letter and waiting event against the fold. */
  async judge(healed: boolean): Promise<Verdict> {
    await this.#readLog()
    const differences: string[] = []
    const names = [`accounts-${this.#world}`, `shops-${this.#world}`] as const
    const [accountLetters, shopLetters] = await Promise.all(names.map((name) => this.#stored.letters(name)))
    const accounts = await this.#stored.accounts()
    const shops = await this.#stored.shops()
    const ofAccounts = expected(this.#entries, decidedBy(accountLetters!), healed).accounts
    const ofShops = expected(this.#entries, decidedBy(shopLetters!), healed).shops
    compareRows(names[0], ofAccounts, accounts, differences)
    compareRows(names[1], ofShops, shops, differences)
    this.#compareWithBefore(accounts, differences)
    await this.#compareAside(names[0], ofAccounts, accountLetters!, differences)
    await this.#compareAside(names[1], ofShops, shopLetters!, differences)
    const parked = [...ofAccounts.parked.values(), ...ofShops.parked.values()]
    return {
      differences,
      rows: accounts.size + shops.size,
      deadLetters: accountLetters!.length + shopLetters!.length,
      waiting: parked.reduce((sum, { length }) => sum + length - 1, 0),
    }
  }

  /**
   * DESIGN §1.2, in the midst of everything: what was committed before the table is read is in the table. Looks at accounts without
   * dead letters.
   */
  async commitsFollowWrites(): Promise<readonly string[]> {
    const committed = await this.#log.committed(`accounts-${this.#world}.v1`, this.#topic)
    await this.#readLog()
    const stored = await this.#stored.accounts()
    this.#compareWithBefore(stored, [])
    const letters = await this.#stored.letters(`accounts-${this.#world}`)
    const aside = new Set(letters.map(({ scope }) => scope))
    const differences: string[] = []
    for (const [source, entries] of this.#entries) {
      const next = committed.get(Number(source.split('/')[1])) ?? 0
      for (const { offset, key, event } of entries) {
        if (offset >= next || !event) continue
        const scopes = [`row:${event.data.account}`, `key:${Buffer.from(key).toString('base64')}`]
        if (scopes.some((scope) => aside.has(scope))) continue
        const position = stored.get(event.data.account)?.position ?? -1
        if (position < offset)
          differences.push(
            `${source} is committed up to ${next}, but ${event.data.account} stands at ${position}, before ${offset}`,
          )
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

  async #compareAside(
    name: string,
    { parked }: Expectation<unknown>,
    letters: readonly StoredLetter[],
    differences: string[],
  ): Promise<void> {
    const stored = await this.#stored.waiting(name)
    const heads = [...parked].map(([scope, [first]]) => `${scope} ${first}`).sort()
    const open = letters
      .filter(({ state }) => state === 'parked')
      .map(({ source, scope, offset }) => `${source} ${scope} ${offset}`)
      .sort()
    for (const head of heads) if (!open.includes(head)) differences.push(`${name}: no dead letter for ${head}`)
    for (const head of open)
      if (!heads.includes(head)) differences.push(`${name}: ${head} is a dead letter, and should not be`)
    for (const [scope, offsets] of parked) {
      const kept = stored.get(scope) ?? []
      if (!isDeepStrictEqual(kept, offsets))
        differences.push(`${name}: behind ${scope} wait ${kept.join(' ')}, and should ${offsets.join(' ')}`)
    }
    for (const scope of stored.keys())
      if (!parked.has(scope))
        differences.push(`${name}: ${stored.get(scope)?.length} events wait in ${scope}, and should not`)
  }

  async #readLog(): Promise<void> {
    for (const [partition, { end }] of await this.#log.bounds(this.#topic)) {
      const source = `${this.#topic}/${partition}`
      const entries = this.#entries.get(source) ?? []
      this.#entries.set(source, entries)
      for await (const records of this.#log.read({ topic: this.#topic, partition }, this.#next.get(source) ?? 0, end))
        for (const record of records) entries.push(entryOf(record))
      this.#next.set(source, end)
    }
  }
}

function decidedBy(letters: readonly StoredLetter[]): Decided {
  const states = new Map(letters.map(({ source, scope, offset, state }) => [`${source} ${scope} ${offset}`, state]))
  return (scope, source, offset) => states.get(`${source} ${scope} ${offset}`)
}

function compareRows<Value>(
  name: string,
  { rows }: Expectation<Value>,
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
