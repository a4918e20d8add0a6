import { isDeepStrictEqual } from 'node:util'
import { type DeadLetter, KEYLESS, keyScope, rowScope, type Scope } from '../engine/index.ts'
import type { LogRecord } from '../events/event.ts'
import { positionText, type Source, sourceText } from '../events/position.ts'
import type { arena } from './arena.ts'
import { type Decided, plainFold, rowsOf } from './plain-fold.ts'

type World = ReturnType<typeof arena>

/** What can't be, with what shows it. */
export class Violation extends Error {}

/**
 * DESIGN §1.2, looked at when a commit is sent: each event below it is in all its rows, or kept beside the view. Looks at each
 * event once, since what is durable stays so.
 */
export class CommitCheck {
  readonly #world: World
  readonly #seen = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  async committing(source: Source, next: number): Promise<void> {
    const from = this.#seen.get(sourceText(source)) ?? 0
    if (next <= from) return
    this.#seen.set(sourceText(source), next)
    const { rows } = this.#world.stores.view
    for await (const records of this.#world.kafka.log.read(source, from, next)) {
      for (const record of records) this.#durable(source, record, rows)
    }
  }

  #durable(source: Source, record: LogRecord, rows: World['stores']['view']['rows']): void {
    const { deadLetters } = this.#world.stores
    const keeps = (scope: Scope) => deadLetters.keeps(source, scope, record.offset)
    if (keeps(keyScope(record.key))) return
    const touched = rowsOf(record)
    const lost = touched
      ? touched.find((id) => (rows.get(id)?.[0]?.position ?? -1) < record.offset && !keeps(rowScope(id)))
      : 'its key'
    if (lost)
      throw new Violation(
        `committed beyond ${positionText({ ...source, offset: record.offset })}: not durable in ${lost}`,
      )
  }
}

/** The end of every history, when all workers have stopped in good order: view, dead letters and what waits behind them against the plain fold of what is committed. */
export async function compare(
  world: World,
  { dislike, refused }: { dislike: string | undefined; refused: string | undefined },
) {
  const { stores } = world
  const letters = new Map(
    stores.deadLetters.letters.map((letter) => [
      `${letter.scope} ${positionText({ ...letter.source, offset: letter.record.offset })}`,
      letter,
    ]),
  )
  // Recorded by a worker that ended before its scope waited, and applied since by one with a repaired handler.
  const isVoid = ({ state, scope, source }: DeadLetter) =>
    state === 'parked' && scope !== KEYLESS && !stores.deadLetters.holds(source, scope)
  const decided: Decided = (scope, at) => {
    const letter = letters.get(`${scope} ${at}`)
    return letter && isVoid(letter) ? 'applied' : letter?.state
  }
  const log = await committedLog(world)
  const { rows, parked, alone } = plainFold(log, dislike, decided)

  const stored = new Map([...stores.view.rows].flatMap(([id, parts]) => parts.map((part) => [id, part] as const)))
  for (const id of new Set([...rows.keys(), ...stored.keys()])) {
    if (isDeepStrictEqual(rows.get(id), stored.get(id))) continue
    throw new Violation(`row ${id} is ${text(stored.get(id))}, but its events say ${text(rows.get(id))}`)
  }
  const heads = [
    ...[...parked].map(([scope, [first]]) => `${scope} ${first}`),
    ...alone.map((at) => `${KEYLESS} ${at}`),
  ]
  const open = [...letters].filter(([, letter]) => letter.state === 'parked' && !isVoid(letter)).map(([name]) => name)
  if (!isDeepStrictEqual(heads.sort(), open.sort()))
    throw new Violation(`dead letters are ${text(open)}, but should be ${text(heads)}`)
  for (const [name, { code, scope }] of letters) {
    const due =
      code === 'WRITE_REFUSED' ? scope === `row:${refused}` : scope.startsWith('key:') || code === 'HANDLER_FAILED'
    if (!due) throw new Violation(`${name} is a dead letter for no reason: ${code}`)
  }
  for (const [scope, positions] of parked) {
    const { source, record } = letters.get(`${scope} ${positions[0]}`)!
    const waiting: string[] = []
    for await (const piece of stores.deadLetters.events(source, scope, record.offset))
      waiting.push(...piece.map(({ offset }) => positionText({ ...source, offset })))
    if (!isDeepStrictEqual(waiting, positions))
      throw new Violation(`behind ${scope} wait ${text(waiting)}, but should ${text(positions)}`)
  }
}

async function committedLog({ kafka, projection, committed }: World) {
  const topic = projection.topics[0]!.name
  return Promise.all(
    [...(await kafka.log.bounds(topic))].map(async ([partition, { start }]) => {
      const source = { topic, partition }
      const records: LogRecord[] = []
      for await (const piece of kafka.log.read(source, start, committed.get(sourceText(source)) ?? start))
        records.push(...piece)
      return { source, records }
    }),
  )
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))
}
