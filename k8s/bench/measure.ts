import type { Peer } from './peers.ts'
import { cpuSeconds, peakMemory } from './processes.ts'
import { type Bench, committed, type Stage, staged, started, tidemark } from './stage.ts'
import { type Faults, faults } from './views.ts'
import { projections, type Workload } from './workload.ts'

/** What a stretch of a worker's work took. */
export interface Usage {
  readonly events: number
  /** From the first event handled to the last offset committed. */
  readonly seconds: number
  /** CPU seconds in that time. */
  readonly worker: number
  readonly cassandra: number
  readonly kafka: number
  /** MiB, start-up included. */
  readonly memory: number
}

/** What one run of one peer on one workload gave. */
export interface Sample extends Usage, Faults {
  /** What `tidemark verify` said; undefined where there is nothing to verify. */
  readonly verified: boolean | undefined
}

/** Runs a peer once and looks at what it has made. */
export function measure(peer: Peer, work: Workload, bench: Bench): Promise<Sample> {
  return staged(peer, work, bench, async (stage) => {
    const usage = await caughtUp(stage)
    const sound = { missing: 0, stale: 0 }
    const judged = peer.kind === 'limit' || !work.rows ? sound : await faults(bench.client, stage.keyspace, work)
    const verified =
      peer.kind === 'tidemark' ? (await tidemark(['verify', work.projection, '--json'], stage.env)) === 0 : undefined
    return { ...usage, ...judged, verified }
  })
}

/** Starts a worker, lets it work off the whole topic, and ends it. */
export async function caughtUp(stage: Stage, group = stage.group, more: NodeJS.ProcessEnv = {}): Promise<Usage> {
  const { peer, work, bench } = stage
  const workers = Array.from({ length: work.workers }, () => started(stage, more))
  const worker = workers[0]!
  const pids = workers.map(({ pid }) => pid)
  const lost = Promise.race(workers.map((each) => each.lost))
  lost.catch(() => {})
  const groups = work.copies === 1 ? [group] : projections(work).map((name) => `${name}.v1`)
  const now = () => ({
    at: performance.now(),
    worker: cpuSeconds(pids),
    cassandra: cpuSeconds(bench.servers.cassandra),
    kafka: cpuSeconds(bench.servers.kafka),
  })
  try {
    await Promise.race([lost, ...workers.map(({ first }) => first)])
    const before = now()
    if (peer.name === 'memory') await worker.done
    else {
      const all = groups.map((each) => committed(bench.admin, each, work.topic, work.events))
      await Promise.race([lost, Promise.all(all)])
    }
    const after = now()
    return {
      events: work.events * work.copies,
      seconds: (after.at - before.at) / 1000,
      worker: after.worker - before.worker,
      cassandra: after.cassandra - before.cassandra,
      kafka: after.kafka - before.kafka,
      memory: Math.max(...pids.map(peakMemory)),
    }
  } finally {
    await Promise.all(workers.map((each) => each.end()))
  }
}
