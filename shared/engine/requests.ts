import { describe } from '../errors.ts'
import type { LogRecord } from '../events/event.ts'
import { positionText, type Source } from '../events/position.ts'
import type { Fold } from '../projection/fold.ts'
import type { Folder } from './folder.ts'
import type { Ports, Request, Scope, SetAsideState } from './ports.ts'
import { KEYLESS, rowScope, type SetAside } from './set-aside.ts'
import type { WorkingSet } from './working-set.ts'

export interface RequestParts {
  readonly source: Source
  readonly fold: Fold
  readonly ports: Ports
  readonly rows: WorkingSet
  readonly setAside: SetAside
  readonly folder: Folder
  /** The offset folding goes on from. What lies there or beyond, left by another worker, is none of our business yet. */
  next(): number
  /** Makes everything folded and set aside so far durable. */
  flush(): Promise<void>
}

interface Answer {
  readonly done: boolean
  readonly message: string
}

/**
 * Does what people asked to be done with dead letters: `retry` applies the dead letter and what waits behind it, in log order;
 * `skip` leaves the dead letter out and applies the rest. Runs in the partition's turn, so no event of the scope arrives
 * meanwhile.
 *
 * A crash at any point is met by the order of the steps: rows first, then the letter's state, then the release, last the answer.
 * The request stays until it is answered, the next owner starts over, and what is in the rows already is skipped by position.
 * What is dealt with is taken out of `requests`, so that calling again after a failure goes on with the one that failed.
 */
export async function answerRequests(requests: Request[], parts: RequestParts): Promise<void> {
  const { ports, source } = parts
  if (requests.length > 0) await renew(parts)
  for (const request of [...requests]) {
    // Before that event has been folded here the rows are not as they were when it failed.
    if (request.offset < parts.next()) await ports.deadLetters.answer(request, await answer(request, parts))
    requests.splice(requests.indexOf(request), 1)
    ports.observer.parked(source, parts.setAside.size)
  }
}

async function answer(request: Request, parts: RequestParts): Promise<Answer> {
  const { source, ports, setAside, flush } = parts
  const { scope, offset } = request
  const at = positionText({ ...source, offset })
  // What was applied must be known to last, and what was parked must be where `waiting` reads it.
  await flush()
  const since = scope === KEYLESS ? offset : setAside.since(scope)
  if (since !== undefined && since !== offset && (await isVoid(scope, since, parts)))
    return answer({ ...request, action: 'retry', offset: since }, parts)
  if (since === undefined || since > offset) {
    // Applied or skipped before; or recorded by a worker that crashed before it parked the scope, and applied since by a repaired handler.
    const state = setAside.skipped(scope, offset) ? 'skipped' : 'applied'
    await ports.deadLetters.resolve(source, scope, offset, state, offset)
    // Whoever decided may have ended before it let go of what it had applied; the scope waits behind a later letter by now.
    if (since !== undefined) await ports.deadLetters.release(source, scope, since - 1, since - 1)
    const later =
      since === undefined ? '' : `; what came later waits behind ${positionText({ ...source, offset: since })}`
    return { done: true, message: `${at} is ${state} already${later}` }
  }
  if (since !== offset) {
    const first = positionText({ ...source, offset: since })
    return { done: false, message: `the row waits behind ${first}: decide about that one first` }
  }
  const moved = await movedPast(request, parts)
  if (moved) return { done: false, message: moved }
  try {
    return await wholly(scope, offset, setAside, () => decide(request, parts))
  } catch (error) {
    setAside.unskip(scope, offset)
    throw error
  }
}

/**
 * Is the event at which the scope waits in its row already? A worker with an older handler may have recorded as poison what one with
 * the repaired handler applies at the same time: then nobody need decide about it (DESIGN §2).
 */
async function isVoid(
  scope: Scope,
  since: number,
  { source, ports, folder, rows, next }: RequestParts,
): Promise<boolean> {
  if (!scope.startsWith('row:') || since >= next()) return false
  for await (const [record] of ports.deadLetters.events(source, scope, since)) {
    if (record?.offset !== since) return false
    const step = folder.step(record)
    await folder.load(step)
    const key = step.kind === 'event' ? step.keys.find(({ id }) => rowScope(id) === scope) : undefined
    return key !== undefined && (rows.get(key.id)?.position ?? -1) >= since
  }
  return false
}

/** Half done is not done: the scope waits as before, and what has reached the rows is passed over the next time. */
async function wholly<T>(scope: Scope, since: number, setAside: SetAside, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    setAside.hold(scope, since)
    throw error
  }
}

async function decide(request: Request, parts: RequestParts): Promise<Answer> {
  const { source, ports, setAside } = parts
  const { scope, offset, action } = request
  const at = positionText({ ...source, offset })
  if (action === 'skip') setAside.skip(scope, offset)
  const { done, last, failed } = await applyWaiting(scope, offset, parts)
  if (failed?.offset === offset) return { done: false, message: `still fails: ${failed.reason}` }
  const state = action === 'skip' ? 'skipped' : 'applied'
  await ports.deadLetters.resolve(source, scope, offset, state, done)
  if (scope !== KEYLESS) await ports.deadLetters.release(source, scope, done, last)
  if (!failed) return { done: true, message: `${state} ${at} and applied everything that waited behind it` }
  const next = positionText({ ...source, offset: failed.offset })
  return {
    done: true,
    message: `${state} ${at}, applied what waited up to ${done}; then ${next} failed: ${failed.reason}`,
  }
}

/**
 * Frees scopes about which another worker has decided. It may do so while it believes to own the partition still: then this one
 * goes on parking behind a dead letter that is out of the way, and nobody would ever ask for what waits there.
 */
export async function reconcile(parts: RequestParts): Promise<void> {
  const { source, ports, setAside } = parts
  const { resolved } = await renew(parts)
  for (const scope of resolved) {
    const since = setAside.since(scope)
    if (since === undefined || since >= parts.next()) continue
    await wholly(scope, since, setAside, async () => {
      const { done, last, failed } = await applyWaiting(scope, since, parts)
      // What the other could apply with a repaired handler still fails here: it waits until this worker has the repair too.
      if (failed?.offset !== since) await ports.deadLetters.release(source, scope, done, last)
    })
  }
  ports.observer.parked(source, setAside.size)
}

/** If another worker has set aside, or decided, what is not known here, all is as if the partition were taken over just now. */
async function renew({ source, ports, setAside, rows, flush }: RequestParts): Promise<SetAsideState> {
  await flush()
  const state = await ports.deadLetters.load(source)
  if (!setAside.agrees(state.parked)) {
    setAside.renew(state)
    rows.clear()
  } else setAside.learn(state)
  return state
}

/**
 * Applies what waits behind `since` and makes it durable, up to the first that fails; that one is a dead letter from then on.
 *
 * A worker that still believes to own the partition may do the same. It writes the rows before it lets the events go, so whoever
 * finds events missing finds them in the row: rows are read again after the events were, and once more when they are needed next.
 * Of a Kafka key it may also have set aside rows; that it has recorded before, too.
 */
async function applyWaiting(scope: Scope, since: number, parts: RequestParts) {
  const { setAside, flush, ports, source } = parts
  let records: AsyncIterable<LogRecord> | readonly LogRecord[] = waiting(scope, since, parts)
  if (!scope.startsWith('row:')) {
    const all: LogRecord[] = []
    for await (const record of records) all.push(record)
    records = all
    setAside.learn(await ports.deadLetters.load(source))
  }
  setAside.release(scope)
  forgetRows(scope, parts)
  let done = since
  let failed: { readonly offset: number; readonly reason: string } | undefined
  for await (const record of records) {
    failed = await applyAgain(record, scope, parts)
    if (failed) break
    done = record.offset
  }
  // Still fails: the letter is recorded as it was, and what `bury` has just noted again is the same letter.
  if (failed?.offset === since) {
    setAside.take()
    setAside.hold(scope, since)
  }
  await flush()
  forgetRows(scope, parts)
  // Everything of the scope below is known here: it is applied, or waits behind the one that failed.
  return { done, last: parts.next() - 1, failed }
}

/** Which rows the events of a Kafka key have gone into is not known when the events are not there any more. */
function forgetRows(scope: Scope, { rows }: RequestParts): void {
  // Of a very long row id the scope has only a hash.
  if (scope.startsWith('row:') && !scope.startsWith('row:sha256:')) rows.forget(scope.slice('row:'.length))
  else rows.clear()
}

/** The dead letter and what waits behind it as far as we have folded, in log order: beyond, what is kept may have holes. Records without a key have no order: each stands alone. */
async function* waiting(scope: Scope, since: number, { ports, source, next }: RequestParts): AsyncGenerator<LogRecord> {
  for await (const records of ports.deadLetters.events(source, scope, since)) {
    for (const record of records) {
      if ((scope === KEYLESS && record.offset > since) || record.offset >= next()) return
      yield record
    }
  }
}

/** Applies a record to the rows of the scope; says what failed, if the scope waits again because of it. */
async function applyAgain(record: LogRecord, scope: Scope, { folder, setAside }: RequestParts) {
  if (setAside.skipped(scope, record.offset)) return undefined
  const step = folder.step(record)
  await folder.load(step)
  const rowKey = step.kind === 'event' ? step.keys.find(({ id }) => rowScope(id) === scope) : undefined
  if (scope.startsWith('row:')) {
    if (step.kind === 'poison') return { offset: record.offset, reason: describe(step.error) }
    if (step.kind === 'event' && rowKey) {
      if (folder.suspicious([rowKey])) await folder.applyAlone(record, step.event, [rowKey])
      else folder.applyTo(rowKey, record, step.event)
    }
  } else {
    if (scope === KEYLESS && step.kind === 'poison') return { offset: record.offset, reason: describe(step.error) }
    await folder.apply(record, step)
  }
  return setAside.since(scope) === record.offset
    ? { offset: record.offset, reason: setAside.reason(scope, record.offset) }
    : undefined
}

/**
 * An event that could not be read parked its Kafka key, not its rows. Where a row is fed by several keys, another one may have
 * moved it on meanwhile: then the event can no longer be applied in its place.
 */
async function movedPast(request: Request, parts: RequestParts): Promise<string | undefined> {
  const { folder, rows, fold, source, ports, next } = parts
  const { scope, offset, action } = request
  if (scope.startsWith('row:')) return undefined
  const own = new Set<number>()
  const positions: { readonly id: string; readonly offset: number; readonly position: number }[] = []
  for await (const records of ports.deadLetters.events(source, scope, offset)) {
    for (const record of records) {
      own.add(record.offset)
      if ((action === 'skip' && record.offset === offset) || record.offset >= next()) continue
      const step = folder.step(record)
      if (step.kind !== 'event') continue
      await folder.load(step)
      for (const { id } of step.keys)
        positions.push({ id, offset: record.offset, position: rows.get(id)?.position ?? -1 })
    }
  }
  // A row that stands at an event of this very key was brought there by a retry that crashed before it ended.
  const moved = positions.find(({ offset, position }) => position > offset && !own.has(position))
  if (!moved) return undefined
  return (
    `row ${JSON.stringify(moved.id)} of ${fold.projection.name} has moved on to ${positionText({ ...source, offset: moved.position })} by events of other keys, ` +
    `so ${positionText({ ...source, offset: moved.offset })} can't be applied in its place any more. Raise the projection's version to rebuild the view, or skip.`
  )
}
