import type { Clock, ProgressStore } from '../../../shared/engine/index.ts'
import { positionText } from '../../../shared/events/position.ts'
import { type Projection, versionName } from '../../../shared/projection/projection.ts'
import { type Difference, Differences } from './difference.ts'
import { type ProofLimits, type ProofPorts, prove, type Step } from './proof.ts'
import { lagOf, type Span, spansOf } from './span.ts'

export type { Difference } from './difference.ts'

export interface VerifyPorts extends ProofPorts {
  readonly progress: Pick<ProgressStore, 'list'>
  readonly clock: Clock
}

export interface VerifyOptions {
  /** Milliseconds to wait until the workers have committed up to where the log ends now. Default 60,000. */
  readonly catchUpMs?: number
  /** What may be in memory at a time. Default 300,000 rows, 256 MiB. */
  readonly limits?: Partial<ProofLimits>
  /** How many differences are named; all are counted. Default 100. */
  readonly named?: number
  readonly signal?: AbortSignal
  readonly onStep?: (step: Step) => void
}

/** What `tidemark verify --json` prints. */
export interface Verification {
  readonly projection: string
  readonly version: number
  /** Does the view hold what the log says, as far as it can be proven, and was there a proof at all? */
  readonly ok: boolean
  /** Events the workers had still not committed when patience ended; 0 where the proof was made. */
  readonly lag: number
  /** Records of the log that were folded. */
  readonly events: number
  /** Rows compared; of a view with `merge`, parts. */
  readonly rows: number
  /** The first 100. */
  readonly differences: readonly Difference[]
  readonly differenceCount: number
  /** Unresolved poison events, and the events that wait behind them. */
  readonly deadLetters: number
  readonly parked: number
  /** Rows that can't be proven, since retention has removed events they may have been made from. */
  readonly unprovable: number
  readonly partitions: readonly SpanProven[]
  readonly seconds: number
}

/** The events of a partition the proof is about: `from` inclusive, `to` exclusive. */
export interface SpanProven {
  readonly source: string
  readonly from: number
  readonly to: number
  /** Does the log still have every event the view was made from? */
  readonly whole: boolean
}

/** Differences that come while dead letters are being decided about may be of the moment: then the proof is made again. */
const ATTEMPTS = 3

/**
 * Proves a view against its log, independently of the code that filled it: every row, its position and its source, both ways,
 * and every dead letter with what waits behind it. Made for a live system: proves the state as of the log's end when it was
 * called, once the workers have committed that, and follows rows that have moved on since.
 *
 * Changes nothing. Rejects with transient errors of Kafka and Cassandra, TOPIC_MISSING and TABLE_MISSING.
 */
export async function verify(
  projection: Projection,
  ports: VerifyPorts,
  options: VerifyOptions = {},
): Promise<Verification> {
  const { catchUpMs = 60_000, limits, named = 100, signal, onStep = () => {} } = options
  const startedAt = ports.clock.now()
  for (let attempt = 1; ; attempt++) {
    const spans = await spansOf(projection, ports.log, ports.progress)
    const lag = await caughtUp(projection, spans, ports, catchUpMs, onStep, signal)
    // A view that has just begun records what it knows of the log when it first commits.
    const known = await spansOf(projection, ports.log, ports.progress)
    const settled = spans.map((span) => ({
      ...span,
      whole: known.find(({ name }) => name === span.name)?.whole ?? span.whole,
    }))
    const differences = new Differences(named)
    const proof =
      lag > 0
        ? { events: 0, rows: 0, unprovable: 0, deadLetters: 0, parked: 0, unsettled: false }
        : await prove({
            projection,
            ports,
            spans: settled,
            limits: { rows: 300_000, bytes: 256 << 20, ...limits },
            differences,
            signal,
            onStep,
          })
    const shifted = await compareEnds(spans, projection, ports, differences)
    if (differences.count > 0 && (proof.unsettled || shifted) && attempt < ATTEMPTS) {
      await ports.clock.sleep(1_000, signal)
      continue
    }
    const { unsettled: _, ...figures } = proof
    return {
      projection: projection.name,
      version: projection.version,
      ok: lag === 0 && differences.count === 0,
      lag,
      ...figures,
      differences: differences.first,
      differenceCount: differences.count,
      partitions: settled.map(({ name, start, end, whole }) => ({ source: name, from: start, to: end, whole })),
      seconds: Math.round(ports.clock.now() - startedAt) / 1000,
    }
  }
}

/** Waits until the group has committed up to the spans' ends. Returns what is still missing when patience ends. */
async function caughtUp(
  projection: Projection,
  spans: readonly Span[],
  { log, clock }: VerifyPorts,
  patience: number,
  onStep: (step: Step) => void,
  signal?: AbortSignal,
): Promise<number> {
  const deadline = clock.now() + patience
  for (let first: number | undefined; ; ) {
    signal?.throwIfAborted()
    const lag = await lagOf(versionName(projection), spans, log)
    if (lag === 0 || clock.now() >= deadline) return lag
    first ??= lag
    onStep({ phase: 'waiting', done: first - lag, total: first })
    await clock.sleep(250, signal)
  }
}

/** A log that ends earlier than it did is another log. Returns whether retention has removed events meanwhile. */
async function compareEnds(
  spans: readonly Span[],
  projection: Projection,
  { log, progress }: VerifyPorts,
  differences: Differences,
): Promise<boolean> {
  const now = new Map((await spansOf(projection, log, progress)).map((span) => [span.name, span]))
  let shifted = false
  for (const { name, source, start, end, mark } of spans) {
    const later = now.get(name)
    const last = Math.max(end, (mark?.position ?? -1) + 1)
    if (later === undefined || later.end < last) {
      differences.add(
        'log',
        name,
        `ends at ${later?.end ?? 0}, but events up to ${positionText({ ...source, offset: last - 1 })} were folded: the topic was re-created or cut`,
      )
    }
    if (later && later.start > start) shifted = true
  }
  return shifted
}
