import { randomUUID } from 'node:crypto'
import type { Clock, DeadLetter, DeadLetterDesk, DeadLetterStore, Log } from '../../shared/engine/index.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { type Position, positionText, type Source } from '../../shared/events/position.ts'
import { type Projection, versionName } from '../../shared/projection/projection.ts'

export interface DeadLetterPorts {
  readonly projection: Projection
  readonly log: Log
  readonly desk: DeadLetterDesk & DeadLetterStore
  readonly clock: Clock
}

/** One dead letter as people and scripts see it. */
export interface ListedLetter {
  readonly projection: string
  readonly version: number
  /** `carts/3/1234`. */
  readonly position: string
  readonly scope: string
  readonly state: DeadLetter['state']
  readonly code: string
  readonly reason: string
  /** Events of the scope that wait behind it; 0 once it has been applied or skipped. */
  readonly waiting: number
}

/** The dead letters of a version, oldest first in each partition; those already applied or skipped only with `all`. */
export async function* listDeadLetters(
  ports: DeadLetterPorts,
  { all }: { readonly all: boolean },
): AsyncGenerator<ListedLetter> {
  for await (const letter of lettersOf(ports)) {
    if (all || letter.state === 'parked') yield listed(letter, ports)
  }
}

/** The dead letters at one position, one per scope it failed for, with the original record. */
export async function showDeadLetters(
  ports: DeadLetterPorts,
  position: Position,
): Promise<readonly (ListedLetter & { readonly record: DeadLetter['record'] })[]> {
  const found: (ListedLetter & { readonly record: DeadLetter['record'] })[] = []
  for await (const letter of at(ports, position))
    found.push({ ...(await listed(letter, ports)), record: letter.record })
  return found
}

export interface Decision {
  readonly action: 'retry' | 'skip'
  /** How long to wait for the owner's answer. */
  readonly waitMs: number
}

/**
 * Asks the worker that owns the partition to apply the dead letters at a position again, or to leave them out, with what waits
 * behind them, and waits for its answers. A request that nobody has answered in time stays: the owner does it when there is one.
 * Throws USAGE if there is no dead letter at the position.
 */
export async function decide(
  ports: DeadLetterPorts,
  position: Position,
  { action, waitMs }: Decision,
): Promise<readonly { readonly done: boolean; readonly message: string }[]> {
  const answers: { done: boolean; message: string }[] = []
  for await (const { scope, source, record } of at(ports, position)) {
    const id = randomUUID()
    await ports.desk.ask({ id, action, source, scope, offset: record.offset })
    answers.push(
      (await answered(ports, source, id, waitMs)) ?? {
        done: false,
        message: `no worker has answered within ${waitMs / 1000} s: the request stays and is done when one owns the partition (see \`tidemark status\`)`,
      },
    )
  }
  if (answers.length > 0) return answers
  throw new TidemarkError(
    'USAGE',
    `${versionName(ports.projection)} has no dead letter at ${positionText(position)}.`,
    { remedy: 'See `tidemark dead-letters list`.' },
  )
}

async function answered({ desk, clock }: DeadLetterPorts, source: Source, id: string, waitMs: number) {
  for (const startedAt = clock.now(); ; await clock.sleep(200)) {
    const outcome = await desk.outcome(source, id)
    if (outcome || clock.now() - startedAt > waitMs) return outcome
  }
}

async function* lettersOf({ projection, log, desk }: DeadLetterPorts): AsyncGenerator<DeadLetter> {
  for (const { name } of projection.topics) {
    for (const partition of [...(await log.bounds(name)).keys()].sort((a, b) => a - b)) {
      for await (const letters of desk.list({ topic: name, partition })) yield* letters
    }
  }
}

async function* at({ desk }: DeadLetterPorts, { topic, partition, offset }: Position): AsyncGenerator<DeadLetter> {
  for await (const letters of desk.list({ topic, partition })) {
    for (const letter of letters) if (letter.record.offset === offset) yield letter
  }
}

async function listed(
  { source, scope, record, state, code, reason }: DeadLetter,
  { projection, desk }: DeadLetterPorts,
): Promise<ListedLetter> {
  let waiting = 0
  if (state === 'parked')
    for await (const records of desk.events(source, scope, record.offset + 1)) waiting += records.length
  const { name, version } = projection
  return {
    projection: name,
    version,
    position: positionText({ ...source, offset: record.offset }),
    scope,
    state,
    code,
    reason,
    waiting,
  }
}
