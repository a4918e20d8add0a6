import type { LogRecord } from '../../events/event.ts'
import { parseSource, type Source, sourceText } from '../../events/position.ts'
import type {
  DeadLetter,
  DeadLetterDesk,
  DeadLetterStore,
  ParkedEvent,
  Request,
  RequestOutcome,
  Scope,
  SetAsideState,
} from '../ports.ts'
import { KEYLESS, waitingBehind } from '../set-aside.ts'
import { slot, stamp } from '../stamp.ts'
import { CellTable } from './cell-table.ts'
import type { Effect, Faults, Operation } from './store-faults.ts'

/** Dead letters and what waits behind them, in memory, with the stamps of the real tables. */
export class MemoryDeadLetters implements DeadLetterStore, DeadLetterDesk {
  /** Rows are named `source offset scope`: a scope may contain anything, so it comes last. */
  readonly #letters = new CellTable()
  readonly #scopes = new CellTable()
  readonly #events = new CellTable()
  readonly #requests = new CellTable()
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** All dead letters of all partitions. */
  get letters(): readonly DeadLetter[] {
    return [...this.#letters.names()].flatMap((name) => this.#letter(name) ?? []).sort(inLogOrder)
  }

  /** Is the event kept for the scope, as a dead letter or behind one, whatever became of it since? */
  keeps(source: Source, scope: Scope, offset: number): boolean {
    const name = nameOf(source, offset, scope)
    return this.#events.read(name) !== undefined || this.#letters.read(name) !== undefined
  }

  /** Does anything hold the scope? */
  holds(source: Source, scope: Scope): boolean {
    return [...this.#scopes.names()].some((name) => isOf(name, source, scope))
  }

  /** Are there scopes whose dead letter is out of the way, and which an owner has therefore still to free? */
  get unsettled(): boolean {
    const open = new Map<string, boolean>()
    for (const name of this.#scopes.names()) {
      const { source, scope } = parseName(name)
      const here = this.#letter(name)?.state === 'parked'
      open.set(`${source} ${scope}`, here || (open.get(`${source} ${scope}`) ?? false))
    }
    return [...open.values()].includes(false)
  }

  /** The requests nobody has answered. */
  get unanswered(): readonly Request[] {
    return [...this.#requests.names()]
      .map((name) => this.#requests.read(name))
      .filter((cells) => cells?.outcome === undefined)
      .map((cells) => cells?.request as Request)
  }

  load(source: Source, from = 0): Promise<SetAsideState> {
    return this.#faults.run('deadLetters.load', [], () => {
      const held = new Map<Scope, number[]>()
      for (const { source: at, offset, scope } of [...this.#scopes.names()].map(parseName)) {
        if (at === sourceText(source))
          held.set(
            scope,
            [...(held.get(scope) ?? []), offset].sort((a, b) => a - b),
          )
      }
      const first = [...held.values()].reduce((lowest, [since = lowest]) => Math.min(lowest, since), from)
      const letters = this.letters.filter(
        ({ source: at, record }) => sourceText(at) === sourceText(source) && record.offset >= first,
      )
      const named = (of: readonly DeadLetter[]) => new Set(of.map(({ record, scope }) => `${record.offset}/${scope}`))
      const decided = named(letters.filter(({ state }) => state !== 'parked'))
      return { ...waitingBehind(held, decided), skipped: named(letters.filter(({ state }) => state === 'skipped')) }
    })
  }

  record(source: Source, letters: readonly DeadLetter[], events: readonly ParkedEvent[]): Promise<void> {
    const put = (table: CellTable, record: LogRecord, scope: Scope, cells: Record<string, unknown>) =>
      this.#effect('deadLetters.record', source, record.offset, scope, () =>
        table.insert(nameOf(source, record.offset, scope), cells, stamp(record.offset, slot.park)),
      )
    const hold = (scope: Scope, since: number, offset: number): Effect => ({
      ...this.#effect('deadLetters.record', source, offset, scope, () =>
        this.#scopes.insert(nameOf(source, since, scope), {}, stamp(offset, slot.park)),
      ),
      last: true,
    })
    const effects = [
      ...[...letters, ...events].map(({ record, scope }) => put(this.#events, record, scope, { record })),
      ...letters.map(({ record, scope, code, reason, state }) =>
        put(this.#letters, record, scope, { record, code, reason, state }),
      ),
      ...letters
        .filter(({ scope, state }) => scope !== KEYLESS && state === 'parked')
        .map(({ record, scope }) => hold(scope, record.offset, record.offset)),
      ...events.map(({ scope, since, record }) => hold(scope, since, record.offset)),
    ]
    return this.#faults.run('deadLetters.record', effects, () => undefined)
  }

  async *events(source: Source, scope: Scope, from: number): AsyncIterable<readonly LogRecord[]> {
    const records = await this.#faults.run('deadLetters.events', [], () =>
      [...this.#events.names()]
        .filter((name) => isOf(name, source, scope) && parseName(name).offset >= from)
        .map((name) => this.#events.read(name)?.record as LogRecord)
        .sort((a, b) => a.offset - b.offset),
    )
    for (let start = 0; start < records.length; start += 10) yield records.slice(start, start + 10)
  }

  resolve(source: Source, scope: Scope, offset: number, state: 'applied' | 'skipped', at: number): Promise<void> {
    const mark = () => this.#letters.update(nameOf(source, offset, scope), { state }, stamp(at, slot.release))
    return this.#faults.run(
      'deadLetters.resolve',
      [this.#effect('deadLetters.resolve', source, at, scope, mark)],
      () => undefined,
    )
  }

  release(source: Source, scope: Scope, at: number, last: number): Promise<void> {
    const covers = (name: string) => isOf(name, source, scope) && parseName(name).offset <= at
    const remove = (table: CellTable, reached: number) =>
      this.#effect('deadLetters.release', source, at, scope, () =>
        table.deleteRange(covers, stamp(reached, slot.release)),
      )
    return this.#faults.run(
      'deadLetters.release',
      [remove(this.#events, at), { ...remove(this.#scopes, last), last: true }],
      () => undefined,
    )
  }

  requests(source: Source): Promise<readonly Request[]> {
    return this.#faults.run('deadLetters.requests', [], () =>
      this.unanswered.filter((request) => sourceText(request.source) === sourceText(source)),
    )
  }

  answer(request: Request, outcome: RequestOutcome): Promise<void> {
    const write = () =>
      this.#requests.update(`${sourceText(request.source)} ${request.id}`, { outcome }, stamp(0, slot.release))
    return this.#faults.run(
      'deadLetters.answer',
      [this.#effect('deadLetters.answer', request.source, request.offset, request.scope, write)],
      () => undefined,
    )
  }

  async *list(source: Source): AsyncIterable<readonly DeadLetter[]> {
    const letters = this.letters.filter((letter) => sourceText(letter.source) === sourceText(source))
    if (letters.length > 0) yield letters
  }

  async find(source: Source, scope: Scope, offset: number): Promise<DeadLetter | undefined> {
    return this.#letter(nameOf(source, offset, scope))
  }

  async ask(request: Request): Promise<void> {
    this.#requests.insert(`${sourceText(request.source)} ${request.id}`, { request }, stamp(0, slot.write))
  }

  async outcome(source: Source, id: string): Promise<RequestOutcome | undefined> {
    return this.#requests.read(`${sourceText(source)} ${id}`)?.outcome as RequestOutcome | undefined
  }

  #letter(name: string): DeadLetter | undefined {
    const cells = this.#letters.read(name)
    if (cells?.record === undefined) return undefined
    const { source, scope } = parseName(name)
    return {
      source: parseSource(source)!,
      scope,
      record: cells.record,
      code: cells.code,
      reason: cells.reason,
      state: cells.state,
    } as DeadLetter
  }

  #effect(operation: Operation, source: Source, offset: number, id: string, apply: () => void): Effect {
    return { apply, entry: { operation, source: sourceText(source), offset, id } }
  }
}

function nameOf(source: Source, offset: number, scope: Scope): string {
  return `${sourceText(source)} ${offset} ${scope}`
}

function parseName(name: string): { readonly source: string; readonly offset: number; readonly scope: Scope } {
  const first = name.indexOf(' ')
  const second = name.indexOf(' ', first + 1)
  return {
    source: name.slice(0, first),
    offset: Number(name.slice(first + 1, second)),
    scope: name.slice(second + 1) as Scope,
  }
}

function isOf(name: string, source: Source, scope: Scope): boolean {
  const parsed = parseName(name)
  return parsed.source === sourceText(source) && parsed.scope === scope
}

function inLogOrder(a: DeadLetter, b: DeadLetter): number {
  const [left, right] = [sourceText(a.source), sourceText(b.source)]
  return left === right ? a.record.offset - b.record.offset : left < right ? -1 : 1
}
