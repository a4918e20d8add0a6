import { type Findings, type Medians, median, medians } from './report.ts'
import { grown, type WorkName } from './workload.ts'

export interface Goal {
  readonly what: string
  readonly least: number
  readonly aim: number
  /** Is more better? */
  readonly more: boolean
  /** Undefined: not measured in this run. */
  readonly reached: number | undefined
}

type Peers = 'tidemark' | 'compared' | 'each-batch' | 'parse'

/** What is wanted, as ratios within one run, and how far this one got. */
export function goals(found: Findings): Goal[] {
  const of = (work: WorkName, peers: Peers) => fastest(found, work, peers)
  const rate = (a: Medians | undefined, b: Medians | undefined) => ratio(a, b, ({ rate: events }) => events)
  const cpu = (a: Medians | undefined, b: Medians | undefined) => ratio(a, b, ({ worker }) => worker)
  const [w1, w2] = [of('w1', 'tidemark'), of('w2', 'tidemark')]
  const rebuilt = found.rebuilds.length > 0 ? medians(found.rebuilds) : undefined
  const lives = found.rebuilds.map(({ liveMost }) => liveMost)
  const growth = [...Map.groupBy(found.growth, ({ work }) => grown(work)).values()].map((own) =>
    total(medians(own.map(({ sample }) => sample))),
  )
  const million = found.throughput.some(({ work }) => work.name === 'w1' && work.events >= 1_000_000)
  return [
    {
      what: 'W1 events/s, against the fastest compared',
      least: 1.4,
      aim: 2,
      more: true,
      reached: rate(w1, of('w1', 'compared')),
    },
    {
      what: 'W1 CPU of the worker, against careful kafkajs',
      least: 0.5,
      aim: 0.35,
      more: false,
      reached: cpu(w1, of('w1', 'each-batch')),
    },
    {
      what: 'W2 events/s, against the fastest compared',
      least: 5,
      aim: 8,
      more: true,
      reached: rate(w2, of('w2', 'compared')),
    },
    {
      what: 'W2 CPU of worker and Cassandra, against the fastest compared',
      least: 0.2,
      aim: 0.12,
      more: false,
      reached: ratio(w2, of('w2', 'compared'), total),
    },
    {
      what: 'W2 events/s, against consuming with JSON.parse',
      least: 0.6,
      aim: 0.9,
      more: true,
      reached: rate(w2, of('w2', 'parse')),
    },
    {
      what: 'W3 rebuild, events/s against consuming with JSON.parse',
      least: 0.4,
      aim: 0.7,
      more: true,
      reached: rate(rebuilt, of('w2', 'parse')),
    },
    {
      what: 'W3 greatest live age meanwhile, ms',
      least: 1000,
      aim: 1000,
      more: false,
      reached: lives.length > 0 ? median(lives) : undefined,
    },
    { what: 'W4 p50, against the best compared', least: 1, aim: 0.8, more: false, reached: age(found, 'p50') },
    { what: 'W4 p99, against the best compared', least: 1, aim: 0.8, more: false, reached: age(found, 'p99') },
    {
      what: 'W5 CPU per event and projection, greatest against least',
      least: 1.5,
      aim: 1.2,
      more: false,
      reached: growth.length > 1 ? Math.max(...growth) / Math.min(...growth) : undefined,
    },
    {
      what: 'Memory at a million rows (W1), MiB',
      least: 1024,
      aim: 512,
      more: false,
      reached: million ? w1?.memory : undefined,
    },
    {
      what: 'CloudEvents envelope: CPU of the worker, against bare JSON',
      least: 1.3,
      aim: 1.1,
      more: false,
      reached: cpu(w2, of('w2-bare', 'tidemark')),
    },
  ]
}

/** Medians of the fastest among these; undefined if none was measured. */
function fastest({ throughput }: Findings, name: WorkName, peers: Peers): Medians | undefined {
  const own = throughput.filter(({ peer, work }) => work.name === name && (peer.kind === peers || peer.name === peers))
  return [...Map.groupBy(own, ({ peer }) => peer.name).values()]
    .map((runs) => medians(runs.map(({ sample }) => sample)))
    .sort((a, b) => b.rate - a.rate)[0]
}

function ratio(a: Medians | undefined, b: Medians | undefined, part: (of: Medians) => number): number | undefined {
  return a && b ? part(a) / part(b) : undefined
}

function total({ worker, cassandra }: Medians): number {
  return worker + cassandra
}

/** At the rate that all were given. */
function age({ latencies }: Findings, part: 'p50' | 'p99'): number | undefined {
  const rate = Math.min(...latencies.map(({ perSecond }) => perSecond))
  const runs = [
    ...Map.groupBy(
      latencies.filter(({ perSecond }) => perSecond === rate),
      ({ peer }) => peer,
    ).entries(),
  ]
  const ages = runs.map(([{ kind }, own]) => ({ kind, age: median(own.map((one) => one[part])) }))
  const ours = ages.find(({ kind }) => kind === 'tidemark')
  const best = Math.min(...ages.filter(({ kind }) => kind === 'compared').map(({ age: theirs }) => theirs))
  return ours && Number.isFinite(best) ? ours.age / best : undefined
}
