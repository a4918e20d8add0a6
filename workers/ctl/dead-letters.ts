import { randomUUID } from 'node:crypto'
import type {
  Clock,
  DeadLetter,
  DeadLetterDesk,
  DeadLetterStore,
  Log,
  Request,
  Scope,
} from '../../shared/engine/index.ts'
import { type Position, positionText } from '../../shared/events/position.ts'
import type { Projection } from '../../shared/projection/projection.ts'

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
  readonly scope: Scope
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

/** How it went with one dead letter. */
export interface Decided {
  /** `carts/3/1234`. */
  readonly position: string
  readonly done: boolean
  readonly message: string
}

/**
 * Asks the workers that own the partitions to apply dead letters again, or to leave them out, with what waits behind them: those at
 * `position`, or all of the version. All are asked at once and waited for together. A request that nobody has answered in time
 * stays: the owner does it when there is one. Letters applied or skipped before are left alone.
 */
export async function* decide(
  ports: DeadLetterPorts,
  position: Position | undefined,
  { action, waitMs }: Decision,
): AsyncGenerator<Decided> {
  const { desk, clock } = ports
  const open: Request[] = []
  for await (const { scope, source, record, state } of position ? at(ports, position) : lettersOf(ports)) {
    if (state !== 'parked') continue
    const request: Request = { id: randomUUID(), action, source, scope, offset: record.offset }
    await desk.ask(request)
    open.push(request)
  }
  const name = ({ source, offset }: Request) => positionText({ ...source, offset })
  for (const startedAt = clock.now(); open.length > 0; await clock.sleep(200)) {
    const inTime = clock.now() - startedAt <= waitMs
    for (const request of [...open]) {
      const outcome = await desk.outcome(request.source, request.id)
      if (outcome) yield { position: name(request), ...outcome }
      if (outcome) open.splice(open.indexOf(request), 1)
      // The owners answer in order: what comes after one that is still open is hardly worth asking for yet.
      else if (inTime) break
    }
    if (inTime) continue
    const stays = `no worker has answered within ${waitMs / 1000} s: the request stays, and is done when one owns the partition (see \`tidemark status\`)`
    for (const request of open) yield { position: name(request), done: false, message: stays }
    return
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
