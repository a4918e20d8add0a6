import { cloudEvent } from './events.ts'
import { caughtUp, type Usage } from './measure.ts'
import type { Peer } from './peers.ts'
import { type Bench, committed, staged, started, tidemark } from './stage.ts'
import { created, produce, removed } from './topic.ts'
import { percentile, produced } from './traffic.ts'
import { workload } from './workload.ts'

export interface Rebuild extends Usage {
  /** Milliseconds from produce to readable in the old version, while the new one was filled. */
  readonly liveP50: number
  readonly liveP99: number
  readonly liveMost: number
  readonly verified: boolean
}

const LIVE_PER_SECOND = 1_000

/** W3: version 2 of W2 from offset 0, while version 1 follows live traffic. */
export async function rebuild(peer: Peer, events: number, bench: Bench): Promise<Rebuild> {
  const work = { ...workload('w2', events), topic: `bench-w3-${process.pid}-${Date.now()}` }
  await created(bench.admin, work.topic)
  try {
    await produce(work.topic, 0, events, work.event)
    return await staged(peer, work, bench, async (stage) => {
      const second = { ...stage.env, BENCH_VERSION: '2' }
      const old = started(stage)
      const over = new AbortController()
      try {
        await Promise.race([old.lost, committed(bench.admin, stage.group, work.topic, events)])
        if ((await tidemark(['init', work.projection], second)) !== 0) throw new Error('tidemark init failed')
        const live = produced(bench.client, {
          topic: work.topic,
          perSecond: LIVE_PER_SECOND,
          seconds: 600,
          from: events,
          order: (seq) => (seq * 7919) % work.entities,
          event: cloudEvent,
          table: `${stage.keyspace}.${work.table}`,
          signal: over.signal,
        })
        const group = stage.group.replace(/1$/, '2')
        const usage = await caughtUp(stage, group, { BENCH_VERSION: '2' }).finally(() => over.abort())
        const ages = await live
        // What live traffic has added since is worked off by both.
        const last = started(stage, { BENCH_VERSION: '2' })
        const verified = (await tidemark(['verify', work.projection, '--json'], second)) === 0
        await last.end()
        return {
          ...usage,
          liveP50: percentile(ages, 0.5),
          liveP99: percentile(ages, 0.99),
          liveMost: Math.max(...ages),
          verified,
        }
      } finally {
        over.abort()
        await old.end()
      }
    })
  } finally {
    await removed(bench.admin, work.topic)
  }
}
