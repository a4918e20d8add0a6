import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goals } from './goals.ts'
import { latency } from './latency.ts'
import { measure, type Usage } from './measure.ts'
import { type Peer, peers, warmUp } from './peers.ts'
import { servers } from './processes.ts'
import { rebuild } from './rebuild.ts'
import { type Findings, fastestRate, report } from './report.ts'
import { filled, kafka } from './topic.ts'
import { cassandra } from './views.ts'
import { ENTITIES, type Growth, grown, type WorkName, workload } from './workload.ts'

// `node k8s/bench/run.ts [PEER,…|all] [WORK,…|all]`, sized by EVENTS and RUNS. Peers take turns, so that a slow minute of the
// machine is shared by all.
const [peerNames = process.env.PEERS ?? 'all', workNames = process.env.WORK ?? 'all'] = process.argv.slice(2)
const events = Number(process.env.EVENTS ?? 1_000_000)
const rounds = Number(process.env.RUNS ?? 3)
const seconds = Number(process.env.W4_SECONDS ?? 60)
const W4_PER_SECOND = 2_000
const W5: readonly Growth[] = [
  ...[10_000, ENTITIES, 1_000_000, 5_000_000].map((entities) => ({ entities })),
  ...[1, 3].map((partitions) => ({ partitions })),
  { workers: 2 },
  ...[6, 12].map((copies) => ({ copies })),
]

const includes = (names: string, name: string) => names === 'all' || names.split(',').includes(name)
const chosen = peers().filter(({ name }) => includes(peerNames, name))
const tidemark = chosen.find(({ kind }) => kind === 'tidemark')
const found: Findings = { throughput: [], growth: [], latencies: [], rebuilds: [], unfinished: [] }

const admin = kafka('bench').admin()
await admin.connect()
const client = await cassandra()
try {
  const bench = { admin, client, servers: servers() }
  console.log('warming Cassandra up …')
  await measure(warmUp, workload('w1', 250_000), bench)

  for (const name of ['w1', 'w2', 'w2-bare', 'w6', 'w6-merge'] as const) {
    if (!includes(workNames, name) && !(name.startsWith('w6') && includes(workNames, 'w6'))) continue
    await inTurn(name)
  }
  if (includes(workNames, 'w3') && tidemark) {
    for (let round = 1; round <= rounds; round++) {
      const one = await rebuild(tidemark, events, bench).catch(unfinished(tidemark, 'w3', round))
      if (!one) continue
      found.rebuilds.push(one)
      const { liveP50, liveP99, liveMost, verified } = one
      const live = [liveP50, liveP99, liveMost].map((age) => age.toFixed(1)).join(' / ')
      console.log(
        `w3 ${round}/${rounds} ${line(one)}  live p50/p99/most ${live} ms  ${verified ? 'verified' : 'NOT VERIFIED'}`,
      )
    }
  }
  if (includes(workNames, 'w4')) {
    const half = Math.round(fastestRate(found, 'w2') / 2)
    for (const perSecond of half > W4_PER_SECOND ? [W4_PER_SECOND, half] : [W4_PER_SECOND]) {
      for (let round = 1; round <= rounds; round++) {
        for (const peer of chosen.filter(({ kind }) => kind !== 'limit')) {
          // Beyond what the compared can do there is nothing to compare, and one message after the other can't do even this.
          if (peer.kind !== 'tidemark' && (perSecond !== W4_PER_SECOND || peer.share < 1)) continue
          const one = await latency(peer, perSecond, seconds, bench).catch(unfinished(peer, 'w4', round))
          if (!one) continue
          found.latencies.push({ peer, perSecond, ...one })
          const ages = [one.p50, one.p99, one.p999].map((age) => age.toFixed(1)).join(' / ')
          console.log(
            `w4 ${round}/${rounds} ${peer.name.padEnd(14)} ${perSecond}/s  p50/p99/p99.9 ${ages} ms  CPU µs/event ${one.worker.toFixed(0)} worker ${one.cassandra.toFixed(0)} cassandra`,
          )
        }
      }
    }
  }
  if (includes(workNames, 'w5') && tidemark) {
    for (let round = 1; round <= rounds; round++)
      for (const growth of W5) await once('w2', tidemark, round, found.growth, growth)
  }

  /** A peer that stalls or gives up says something about the peer; the others go on. */
  function unfinished(peer: Peer, name: string, round: number): (error: Error) => undefined {
    return ({ message }) => {
      found.unfinished.push(`${peer.title}, ${name}, round ${round}: ${message}`)
      console.error(`${name} ${round}/${rounds} ${peer.name} did not finish: ${message}`)
    }
  }

  async function inTurn(name: WorkName): Promise<void> {
    for (let round = 1; round <= rounds; round++) {
      for (const peer of chosen) {
        if (peer.works.includes(name)) await once(name, peer, round, found.throughput)
      }
    }
  }

  async function once(
    name: WorkName,
    peer: Peer,
    round: number,
    into: Findings['throughput'],
    growth?: Growth,
  ): Promise<void> {
    // Several projections do several times the work, and are given less of it.
    const share = peer.share / Math.sqrt(growth?.copies ?? 1)
    const work = workload(name, Math.round(events * share), growth)
    await filled(admin, work.topic, work.events, work.event, work.partitions)
    const sample = await measure(peer, work, bench).catch(unfinished(peer, name, round))
    if (!sample) return
    into.push({ peer, work, sample })
    const { missing, stale, verified } = sample
    const judged = `${missing} missing ${stale} stale${verified === undefined ? '' : verified ? ' verified' : ' NOT VERIFIED'}`
    const size = growth ? ` (${grown(work)})` : ''
    console.log(`${name}${size} ${round}/${rounds} ${peer.name.padEnd(14)} ${line(sample)}  ${judged}`)
  }
} finally {
  await Promise.all([admin.disconnect(), client.shutdown()])
}
const text = report(found, goals(found), { events, rounds, seconds })
console.log(`\n${text}`)
const out =
  process.env.OUT ?? (peerNames === 'all' && workNames === 'all' ? join(import.meta.dirname, 'RESULTS.md') : '')
if (out !== '') writeFileSync(out, text)

function line({ events: count, seconds: took, worker, cassandra: database, kafka: broker, memory }: Usage): string {
  const rate = Math.round(count / took).toLocaleString('en')
  const each = (cpu: number) => ((cpu / count) * 1e6).toFixed(1).padStart(5)
  return `${rate.padStart(9)}/s  CPU µs/event ${each(worker)} worker ${each(database)} cassandra ${each(broker)} kafka  ${Math.round(memory)} MiB`
}
