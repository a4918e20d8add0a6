import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { FlushTrigger } from '../engine/ports.ts'

/** What a projection's numbers look like at the moment they are asked for. */
export interface ProjectionNumbers {
  readonly projection: string
  readonly version: string
  readonly rebalances: number
  readonly busySeconds: number
  readonly partitions: readonly PartitionNumbers[]
}

export interface PartitionNumbers {
  readonly topic: string
  readonly partition: number
  readonly assigned: boolean
  readonly outcomes: Readonly<Record<string, number>>
  readonly rowsWritten: number
  readonly deadLetters: number
  readonly parkedKeys: number
  /** Offset last applied and durable; undefined if none was yet. */
  readonly position: number | undefined
  /** Offset that the next event will have, as last seen. */
  readonly end: number
  readonly lag: number
  readonly ageSeconds: number
}

export interface Metrics {
  /** `Content-Type` of what `text` gives; Prometheus 3 refuses an answer without it. */
  readonly contentType: string
  text(): Promise<string>
  /** Reads a projection's numbers whenever somebody asks for metrics, and at no other time. */
  watch(numbers: () => ProjectionNumbers): void
  flushed(
    projection: string,
    version: string,
    topic: string,
    flush: { trigger: FlushTrigger; rows: number; seconds: number; endToEnd: readonly number[] },
  ): void
  /** One request to Cassandra took this long, as the client saw it; `of` is the version it was for, if it was for one. */
  cassandraRequest(seconds: number, operation: string, of?: { readonly name: string; readonly version: number }): void
  /** For counters and histograms of one process only, as the gateway's. */
  readonly registry: Registry
}

const LATENCY = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/**
 * Every metric of DESIGN §7, in base units, never labelled with a key. Counters and gauges are plain numbers elsewhere and read
 * when Prometheus asks, so an event costs no metric call; only flushes and requests are observed as they happen.
 */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const watched: (() => ProjectionNumbers)[] = []
  const registers = [registry]
  const fleet = ['projection', 'version'] as const
  const source = [...fleet, 'topic', 'partition'] as const

  type Of = Pick<ProjectionNumbers, 'projection' | 'version'>
  const each = (visit: (of: Of, numbers: ProjectionNumbers) => void) => {
    for (const read of watched) {
      const numbers = read()
      visit({ projection: numbers.projection, version: numbers.version }, numbers)
    }
  }
  const eachPartition = (
    visit: (labels: Of & { topic: string; partition: string }, numbers: PartitionNumbers) => void,
  ) =>
    each((of, { partitions }) => {
      for (const one of partitions) visit({ ...of, topic: one.topic, partition: String(one.partition) }, one)
    })

  /** Counters are set anew from totals that only grow, which is what a counter is. */
  new Counter({
    name: 'tidemark_events_total',
    help: 'Events by what became of them.',
    labelNames: [...source, 'outcome'],
    registers,
    collect() {
      this.reset()
      eachPartition((labels, { outcomes }) => {
        for (const [outcome, count] of Object.entries(outcomes)) this.inc({ ...labels, outcome }, count)
      })
    },
  })
  counter(
    'tidemark_rows_written_total',
    'Rows written to the view; several events on one row between two flushes are one.',
    ({ rowsWritten }) => rowsWritten,
  )
  counter(
    'tidemark_dead_letters_total',
    'Events set aside because they can never succeed.',
    ({ deadLetters }) => deadLetters,
  )
  gauge('tidemark_lag_events', 'Events between what is durable in the view and the end of the log.', ({ lag }) => lag)
  gauge(
    'tidemark_event_age_seconds',
    'Seconds since the oldest event not yet in the view was produced, at most; 0 when caught up.',
    ({ ageSeconds }) => ageSeconds,
  )
  gauge('tidemark_parked_keys', 'Rows and keys set aside behind a dead letter.', ({ parkedKeys }) => parkedKeys)
  gauge('tidemark_position', 'Offset last applied and durable in the view.', ({ position }) => position)
  gauge('tidemark_log_end', 'Offset that the next event will have, as last seen.', ({ end }) => end)

  new Counter({
    name: 'tidemark_busy_seconds_total',
    help: 'Seconds of work, without waiting: events per busy second is what one worker can do.',
    labelNames: fleet,
    registers,
    collect() {
      this.reset()
      each((of, { busySeconds }) => this.inc(of, busySeconds))
    },
  })
  new Counter({
    name: 'tidemark_rebalances_total',
    help: 'Times this worker was given partitions.',
    labelNames: fleet,
    registers,
    collect() {
      this.reset()
      each((of, { rebalances }) => this.inc(of, rebalances))
    },
  })
  new Gauge({
    name: 'tidemark_assigned_partitions',
    help: 'Partitions this worker reads.',
    labelNames: fleet,
    registers,
    collect() {
      this.reset()
      each((of, { partitions }) => this.set(of, partitions.filter(({ assigned }) => assigned).length))
    },
  })

  const endToEnd = new Histogram({
    name: 'tidemark_end_to_end_seconds',
    help: "Seconds from produced to readable in the view: each flush's oldest and newest event, of a rebuild's history too.",
    labelNames: [...fleet, 'topic'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86_400],
    registers,
  })
  const flushDuration = new Histogram({
    name: 'tidemark_flush_duration_seconds',
    help: 'How long flushes took, by what caused them.',
    labelNames: [...fleet, 'trigger'],
    buckets: LATENCY,
    registers,
  })
  const flushRows = new Histogram({
    name: 'tidemark_flush_rows',
    help: 'Rows per flush.',
    labelNames: fleet,
    buckets: [1, 5, 20, 100, 500, 2_000, 10_000, 50_000, 200_000],
    registers,
  })
  const requests = new Histogram({
    name: 'tidemark_cassandra_request_seconds',
    help: 'How long Cassandra took to answer, as the client saw it. Without projection: what is for no version alone.',
    labelNames: ['operation', ...fleet],
    buckets: [0.0005, ...LATENCY],
    registers,
  })

  function counter(name: string, help: string, value: (numbers: PartitionNumbers) => number) {
    new Counter({
      name,
      help,
      labelNames: source,
      registers,
      collect() {
        this.reset()
        eachPartition((labels, numbers) => this.inc(labels, value(numbers)))
      },
    })
  }

  /** Only assigned partitions: a gauge of one that another worker reads now would be counted twice. */
  function gauge(name: string, help: string, value: (numbers: PartitionNumbers) => number | undefined) {
    new Gauge({
      name,
      help,
      labelNames: source,
      registers,
      collect() {
        this.reset()
        eachPartition((labels, numbers) => {
          const now = value(numbers)
          if (numbers.assigned && now !== undefined) this.set(labels, now)
        })
      },
    })
  }

  return {
    contentType: registry.contentType,
    registry,
    text: () => registry.metrics(),
    watch: (numbers) => void watched.push(numbers),
    cassandraRequest: (seconds, operation, of) =>
      requests.observe(of ? { operation, projection: of.name, version: String(of.version) } : { operation }, seconds),
    flushed(projection, version, topic, flush) {
      flushDuration.observe({ projection, version, trigger: flush.trigger }, flush.seconds)
      flushRows.observe({ projection, version }, flush.rows)
      for (const seconds of flush.endToEnd) endToEnd.observe({ projection, version, topic }, seconds)
    },
  }
}
