import { setTimeout as sleep } from 'node:timers/promises'
import type { Projection } from '../../../shared/projection/index.ts'
import { freePort } from '../free-ports.ts'
import { type Children, DemoFailure } from './children.ts'
import type { Display } from './display.ts'
import { type Observation, observer } from './observation.ts'

const LOOK_EVERY_MS = 250

/** The demo's workers: two projectors that share all views, a gateway and a query. */
export interface Fleet {
  readonly workers: readonly { readonly name: string; readonly port: number }[]
  readonly gateway: string
  readonly query: string
  /** Looks and shows until `enough`; fails with `what` if that takes longer than `seconds`. */
  until(what: string, seconds: number, enough: (seen: Observation) => boolean): Promise<Observation>
  /** Partitions of all projections together. */
  readonly partitions: number
}

/** Starts all and returns when each says that it is ready and both projectors have a part of every view. */
export async function startFleet(
  projections: readonly Projection[],
  children: Children,
  display: Display,
  signal: AbortSignal,
): Promise<Fleet> {
  const names = projections.map(({ name }) => name)
  const partitions = projections.flatMap(({ topics }) => topics).reduce((sum, topic) => sum + topic.partitions, 0)
  const start = async (name: string, args: readonly string[], preferred: number) => {
    const port = await freePort(preferred)
    children.start(name, args, { TIDEMARK_HTTP_PORT: String(port) })
    return { name, port }
  }
  const workers = [
    await start('projector-1', ['run', ...names], 18_083),
    await start('projector-2', ['run', ...names], 18_084),
  ]
  const gateway = await start('gateway', ['gateway'], 18_081)
  const query = await start('query', ['query'], 18_082)

  const look = observer(
    names,
    workers.map(({ port }) => port),
  )

  const until: Fleet['until'] = async (what, seconds, enough) => {
    const deadline = Date.now() + seconds * 1_000
    for (;;) {
      signal.throwIfAborted()
      const seen = await Promise.race([look(), children.failure])
      display.show(
        seen,
        workers.map(({ name }) => name),
        partitions,
      )
      if (enough(seen)) return seen
      if (Date.now() > deadline) throw new DemoFailure(`${what}: not within ${seconds} s; ${inWords(seen)}`)
      await Promise.race([sleep(LOOK_EVERY_MS), children.failure])
    }
  }

  for (const { name, port } of [gateway, query, ...workers]) await ready(name, port, children, signal)
  await until(
    'both projectors have partitions of every view',
    60,
    ({ owned, projections: sights }) =>
      owned === partitions && sights.every((sight) => sight.partitions.every((count) => count > 0)),
  )
  const url = ({ port }: { port: number }) => `http://127.0.0.1:${port}`
  return { workers, gateway: url(gateway), query: url(query), until, partitions }
}

async function ready(name: string, port: number, children: Children, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 60_000
  for (let answer = 'nothing'; ; ) {
    signal.throwIfAborted()
    try {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) })
      if (response.ok) return
      answer = (await response.text()).trim()
    } catch {
      // It does not listen yet, or has ended: then the race below says so.
    }
    if (Date.now() > deadline) throw new DemoFailure(`${name} is not ready after 60 s; /readyz answers ${answer}`)
    await Promise.race([sleep(LOOK_EVERY_MS), children.failure])
  }
}

function inWords({ owned, lag, projections }: Observation): string {
  const each = projections.map(
    ({ projection, partitions, lag: of }) => `${projection} ${partitions.join('+')} lag ${of}`,
  )
  return `${owned} partitions read, lag ${lag} (${each.join(', ')})`
}
