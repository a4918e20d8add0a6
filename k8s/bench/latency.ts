import { cloudEvent } from './events.ts'
import type { Peer } from './peers.ts'
import { cpuSeconds } from './processes.ts'
import { type Bench, staged, started } from './stage.ts'
import { created, removed } from './topic.ts'
import { percentile, produced } from './traffic.ts'
import { workload } from './workload.ts'

/** Milliseconds from produce to readable. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** CPU microseconds per event. */
  readonly worker: number
  readonly cassandra: number
}

const WARM_SECONDS = 10
const ORDERS = 100_000

/** W4: a worker that is caught up, at a steady rate. What the first ten seconds gave is not counted. */
export async function latency(peer: Peer, perSecond: number, seconds: number, bench: Bench): Promise<Latency> {
  const work = { ...workload('w2', 1), topic: `bench-w4-${process.pid}-${Date.now()}` }
  await created(bench.admin, work.topic)
  try {
    return await staged(peer, work, bench, async (stage) => {
      const worker = started(stage)
      try {
        const traffic = {
          topic: work.topic,
          perSecond,
          order: (seq: number) => (seq * 7919) % ORDERS,
          event: cloudEvent,
          table: `${stage.keyspace}.${work.table}`,
        }
        await produced(bench.client, { ...traffic, seconds: WARM_SECONDS, from: 0 })
        const cpu = () => [cpuSeconds([worker.pid]), cpuSeconds(bench.servers.cassandra)] as const
        const before = cpu()
        const ages = await produced(bench.client, { ...traffic, seconds, from: (WARM_SECONDS + 1) * perSecond })
        const each = cpu().map((spent, index) => ((spent - before[index]!) / (seconds * perSecond)) * 1e6)
        const [p50, p99, p999] = [0.5, 0.99, 0.999].map((part) => percentile(ages, part))
        return { p50: p50!, p99: p99!, p999: p999!, worker: each[0]!, cassandra: each[1]! }
      } finally {
        await worker.end()
      }
    })
  } finally {
    await removed(bench.admin, work.topic)
  }
}
