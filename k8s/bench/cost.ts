import { availableParallelism } from 'node:os'
import { type Findings, type Medians, medians } from './report.ts'
import type { WorkName } from './workload.ts'

const RATES = [10_000, 100_000, 1_000_000, 10_000_000]
/** A worker folds in one thread, and is scaled when it is so busy (DESIGN §9). */
const WORKER_BUSY = 0.7
const REPLICAS = 3
const NODE_CORES = 8
/** What is left for compaction, repair and a node that is away. */
const NODE_BUSY = 0.5

/** What a steady rate takes. */
export interface Fleet {
  readonly workers: number
  readonly cores: number
  readonly nodes: number
}

/** From CPU microseconds per event of a worker and of Cassandra, measured with one replica. */
export function fleet(rate: number, { worker, cassandra }: Pick<Medians, 'worker' | 'cassandra'>): Fleet {
  return {
    workers: Math.ceil((rate * worker) / 1e6 / WORKER_BUSY),
    cores: (rate * worker) / 1e6,
    nodes: Math.max(REPLICAS, Math.ceil((rate * cassandra * REPLICAS) / 1e6 / (NODE_CORES * NODE_BUSY))),
  }
}

/** Events per second that this machine can do by the same figures: one thread of the worker, and all its cores for everything. */
export function predicted({ worker, cassandra, kafka }: Pick<Medians, 'worker' | 'cassandra' | 'kafka'>): number {
  return Math.min(1e6 / worker, (availableParallelism() * 1e6) / (worker + cassandra + kafka))
}

/** The section of the report; empty where neither W1 nor W2 was measured. */
export function costs(found: Findings): string {
  const works = (['w1', 'w2'] as const).flatMap((name) => {
    const measured = ours(found, name)
    return measured ? [{ name, measured }] : []
  })
  if (works.length === 0) return ''
  const lines = works.flatMap(({ name, measured }) =>
    RATES.map((rate) => {
      const { workers, cores, nodes } = fleet(rate, measured)
      const costs = `${measured.worker.toFixed(1)} + ${measured.cassandra.toFixed(1)}`
      return `| ${name.toUpperCase()}, ${costs} µs | ${rate.toLocaleString('en')} | ${workers} | ${cores.toFixed(1)} | ${nodes} |`
    }),
  )
  const checks = works.map(({ name, measured }) => {
    const by = predicted(measured)
    return `${name.toUpperCase()} should do ${Math.round(by).toLocaleString('en')} events/s on this machine and did ${Math.round(measured.rate).toLocaleString('en')} (${(measured.rate / by).toFixed(2)})`
  })
  return `## What a rate takes

| work, CPU worker + Cassandra | events/s | workers | their cores | Cassandra nodes |
|---|---|---|---|---|
${lines.join('\n')}

Assumed: cost per event does not depend on the rate (it falls, since more events meet in a window); a worker is one thread, ${WORKER_BUSY * 100} % busy, and there are at least as many
partitions as workers; ${REPLICAS} replicas do what one did here, on nodes of ${NODE_CORES} such cores that are ${NODE_BUSY * 100} % busy; no node count below ${REPLICAS}. Kafka, disks and networks are not in it.
Checked here: ${checks.join('; ')}.`
}

function ours({ throughput }: Findings, name: WorkName): Medians | undefined {
  const own = throughput.filter(({ peer, work }) => peer.kind === 'tidemark' && work.name === name)
  return own.length === 0 ? undefined : medians(own.map(({ sample }) => sample))
}
