import { costs } from './cost.ts'
import type { Goal } from './goals.ts'
import type { Latency } from './latency.ts'
import { machine } from './machine.ts'
import type { Sample } from './measure.ts'
import type { Peer } from './peers.ts'
import type { Rebuild } from './rebuild.ts'
import { grown, type Workload, type WorkName } from './workload.ts'

export interface Measured {
  readonly peer: Peer
  readonly work: Workload
  readonly sample: Sample
}

/** Everything one run of the suite has found. */
export interface Findings {
  readonly throughput: Measured[]
  readonly growth: Measured[]
  readonly latencies: ({ readonly peer: Peer; readonly perSecond: number } & Latency)[]
  readonly rebuilds: Rebuild[]
  /** Runs that stalled or gave up, with the reason. They are in no median. */
  readonly unfinished: string[]
}

/** Medians over runs; CPU in microseconds per event, which is seconds per million. */
export interface Medians {
  readonly rate: number
  readonly slowest: number
  readonly fastest: number
  readonly worker: number
  readonly cassandra: number
  readonly kafka: number
  readonly memory: number
}

export interface Size {
  readonly events: number
  readonly rounds: number
  readonly seconds: number
}

/** The whole of RESULTS.md. */
export function report(found: Findings, goals: readonly Goal[], size: Size): string {
  const works = Map.groupBy(found.throughput, ({ work }) => work.name)
  const parts = [
    heading(size, comparedIn(found)),
    ...[...works.values()].map((own) => table(own[0]!.work.title, own, ({ peer }) => peer.title)),
    ...(found.rebuilds.length > 0 ? [rebuilds(found.rebuilds)] : []),
    ...(found.latencies.length > 0 ? [latencies(found.latencies, size)] : []),
    ...(found.growth.length > 0
      ? [table('W5 growth: W2 with one thing changed', found.growth, ({ work }) => grown(work))]
      : []),
    ...(found.unfinished.length > 0
      ? [`## Not finished\n\n${found.unfinished.map((one) => `- ${one}`).join('\n')}`]
      : []),
    reach(goals),
    costs(found),
  ].filter((part) => part !== '')
  return `${parts.join('\n\n')}\n`
}

/** A ratio says little without whom it is against: a run of some peers knows only the fastest of these. */
function comparedIn({ throughput, latencies }: Findings): string {
  const peers = [...throughput, ...latencies].map(({ peer }) => peer).filter(({ kind }) => kind === 'compared')
  return [...new Set(peers.map(({ title }) => title))].join('; ') || 'nobody'
}

function heading({ events, rounds }: Size, compared: string): string {
  const runs = rounds === 1 ? 'one run' : `medians of ${rounds} runs`
  return `# Results

Written by the suite on ${new Date().toISOString().slice(0, 10)}: ${whole(events)} events of about 240 bytes in 12 partitions, ${runs}, peers in turn. Workers, Kafka
and Cassandra share one machine: ${machine()}.

Rates count from the first event handled to the last offset committed; CPU is that of the same time, in microseconds per event
(seconds per million). Compare lines of one table only: absolute figures are this machine's, on that day. The span says how noisy it was.

Compared in this run: ${compared}. "The fastest compared" is the fastest of these.`
}

function table(title: string, measured: readonly Measured[], name: (of: Measured) => string): string {
  const lines = [...Map.groupBy(measured, name)].map(([label, own]) => row(label, own))
  return `## ${title}

| | events/s (span) | CPU worker | Cassandra | Kafka | peak MiB | rows missing | not the last event's |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}`
}

function row(label: string, measured: readonly Measured[]): string {
  const samples = measured.map(({ sample }) => sample)
  const { peer, work } = measured[0]!
  const { rate, slowest, fastest, worker, cassandra, kafka, memory } = medians(samples)
  const span = `${whole(rate)} (${whole(slowest)}–${whole(fastest)})`
  const share = peer.share === 1 ? '' : ` (of ${whole(work.events)} events)`
  const verified = samples.every((one) => one.verified) ? ', verified' : ', **not verified**'
  const judged = peer.kind === 'limit' || !work.rows ? ['', ''] : [worst(samples, 'missing'), worst(samples, 'stale')]
  const proof = peer.kind === 'tidemark' ? verified : ''
  const cpu = [worker, cassandra, kafka].map((each) => each.toFixed(1))
  return `| ${[label + share + proof, span, ...cpu, whole(memory), ...judged].join(' | ')} |`
}

/** From the least to the most of what the runs had. */
function worst(samples: readonly Sample[], fault: 'missing' | 'stale'): string {
  const counts = samples.map((sample) => sample[fault])
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return most === 0 ? '0' : least === most ? `**${most}**` : `**${least}–${most}**`
}

function rebuilds(runs: readonly Rebuild[]): string {
  const { rate, slowest, fastest, worker, cassandra, memory } = medians(runs)
  const of = (part: 'liveP50' | 'liveP99' | 'liveMost') => median(runs.map((run) => run[part])).toFixed(0)
  return `## W3 rebuild: version 2 of W2 from offset 0, while version 1 follows 1,000 events/s

| events/s (span) | CPU worker | Cassandra | peak MiB | live p50 ms | p99 | most | |
|---|---|---|---|---|---|---|---|
| ${whole(rate)} (${whole(slowest)}–${whole(fastest)}) | ${worker.toFixed(1)} | ${cassandra.toFixed(1)} | ${whole(memory)} | ${of('liveP50')} | ${of('liveP99')} | ${of('liveMost')} | ${runs.every(({ verified }) => verified) ? 'verified' : '**not verified**'} |

Cassandra's share is that of both versions and of the readers that measure.`
}

function latencies(all: Findings['latencies'], { seconds }: Size): string {
  const groups = Map.groupBy(all, ({ peer, perSecond }) => `${peer.title} | ${whole(perSecond)}`)
  const lines = [...groups].map(([label, runs]) => {
    const of = (part: keyof Latency) => median(runs.map((run) => run[part])).toFixed(1)
    return `| ${label} | ${of('p50')} | ${of('p99')} | ${of('p999')} | ${of('worker')} | ${of('cassandra')} |`
  })
  return `## W4 latency: produce to readable by CQL, ${seconds} s a run

| | events/s | p50 ms | p99 | p99.9 | CPU worker | Cassandra |
|---|---|---|---|---|---|---|
${lines.join('\n')}

Cassandra's share includes the reads that measure.`
}

function reach(goals: readonly Goal[]): string {
  const lines = goals.map(({ what, least, aim, more, reached }) => {
    const met = (bound: number) => reached !== undefined && (more ? reached >= bound : reached <= bound)
    const verdict = met(aim) ? 'aim reached' : met(least) ? 'reached' : '**not reached**'
    const sign = more ? '≥' : '≤'
    const digits = least >= 100 ? 0 : 2
    const measured = reached === undefined ? ' | not measured' : `${reached.toFixed(digits)} | ${verdict}`
    return `| ${what} | ${sign} ${least} | ${sign} ${aim} | ${measured} |`
  })
  return `## Reach

| | at least | aim | measured | |
|---|---|---|---|---|
${lines.join('\n')}`
}

export function medians(
  samples: readonly Pick<Sample, 'events' | 'seconds' | 'worker' | 'cassandra' | 'kafka' | 'memory'>[],
): Medians {
  const rates = samples.map(({ events, seconds }) => events / seconds)
  const each = (part: 'worker' | 'cassandra' | 'kafka') => median(samples.map((one) => (one[part] / one.events) * 1e6))
  return {
    rate: median(rates),
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
    worker: each('worker'),
    cassandra: each('cassandra'),
    kafka: each('kafka'),
    memory: median(samples.map(({ memory }) => memory)),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Tidemark's median rate on a workload; 0 if it was not measured. */
export function fastestRate({ throughput }: Findings, name: WorkName): number {
  const own = throughput.filter(({ peer, work }) => peer.kind === 'tidemark' && work.name === name)
  return own.length === 0 ? 0 : medians(own.map(({ sample }) => sample)).rate
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
