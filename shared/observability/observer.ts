import type { Observer } from '../engine/ports.ts'
import { scopeText } from '../engine/scope-text.ts'
import { KEYLESS } from '../engine/set-aside.ts'
import { isKind, TidemarkError } from '../errors.ts'
import { positionText, type Source, sourceText } from '../events/position.ts'
import type { Projection } from '../projection/projection.ts'
import { createLedger } from './ledger.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Progress } from './progress.ts'
import type { ProjectionTracer } from './tracing.ts'

export interface ObserverParts {
  readonly projection: Pick<Projection, 'name' | 'version'>
  readonly log: Logger
  readonly metrics: Metrics
  readonly progress: Progress
  /** Absent: nothing is traced. */
  readonly tracer?: ProjectionTracer | undefined
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** The engine's observer, and what the process itself finds out about the log. */
export interface ProjectionObserver extends Observer {
  /** The end of a partition as an administrator sees it; to be told every few seconds, since a held partition fetches nothing. */
  end(source: Source, end: number): void
}

/** A hold is said when it begins, when its reason changes, and again after so long. */
const REPEAT_MS = 60_000

/** Turns what the engine tells into metrics, readiness, logs and traces. */
export function createObserver({
  projection,
  log: parent,
  metrics,
  progress,
  tracer,
  now = Date.now,
}: ObserverParts): ProjectionObserver {
  const name = projection.name
  const version = String(projection.version)
  const log = parent.child({ projection: name, version: projection.version })
  const ledger = createLedger(now)
  const holds = new Map<string, { code: string; since: number; saidAt: number }>()
  metrics.watch(() => ({
    projection: name,
    version,
    rebalances: ledger.rebalances,
    busySeconds: ledger.busySeconds,
    partitions: ledger.all(),
  }))

  function tellProgress(source: Source): void {
    const numbers = ledger.numbers(source)
    if (numbers) progress.at(source, numbers.position ?? -1, numbers.lag)
  }

  return {
    tracing: tracer !== undefined,

    assigned(assignments) {
      ledger.assigned(assignments)
      progress.assigned(assignments.map(({ source }) => source))
      holds.clear()
      for (const { source } of assignments) tellProgress(source)
      const behind = assignments.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
      log.info(
        { partitions: assignments.map(({ source }) => sourceText(source)), lag: behind },
        assignments.length === 0
          ? 'assigned no partition: this worker stands by'
          : `assigned ${assignments.length} partition(s)`,
      )
    },

    folded(source, step) {
      ledger.folded(source, step)
      tellProgress(source)
      tracer?.folded(source, step)
    },

    flushed(source, flush) {
      ledger.flushed(source, flush)
      tellProgress(source)
      const ages = [...new Set([flush.oldest, flush.newest])]
        .filter(Number.isFinite)
        .map((producedAt) => Math.max(0, now() - producedAt) / 1000)
      metrics.flushed(name, version, source.topic, { ...flush, endToEnd: ages })
      tracer?.flushed(source, flush)
      if (log.isLevelEnabled('debug')) log.debug({ source: sourceText(source), ...flush }, 'flushed')
    },

    dead({ source, record, scope, code, reason, state }) {
      ledger.dead(source)
      const position = positionText({ ...source, offset: record.offset })
      const consequence =
        state === 'skipped'
          ? `it was left out of ${scopeText(scope)}`
          : scope === KEYLESS
            ? 'nothing waits behind it, since its record has no key'
            : `it and later events of ${scopeText(scope)} wait`
      const next = state === 'parked' ? ', then retry or skip it' : ''
      log.warn(
        { position, scope, code, reason },
        `event ${position} is a dead letter: ${consequence}. See \`tidemark dead-letters show ${position}\`${next}`,
      )
    },

    parked(source, scopes) {
      ledger.parked(source, scopes)
      log.debug({ source: sourceText(source), scopes }, 'rows and keys set aside')
    },

    held(source, error, retryInSeconds) {
      progress.held(source, error)
      const held = source ? sourceText(source) : 'the worker'
      const before = holds.get(held)
      if (!error) {
        if (before) log.info({ source: held, seconds: (now() - before.since) / 1000 }, `${held} goes on`)
        holds.delete(held)
        return
      }
      const code = error instanceof TidemarkError ? error.code : error.name
      const due = before?.code !== code || now() - before.saidAt >= REPEAT_MS
      holds.set(held, { code, since: before?.since ?? now(), saidAt: due ? now() : before.saidAt })
      if (!due) return
      const consequence = isKind(error, 'transient') ? 'nothing is lost, it is tried again' : 'it is tried again'
      log.warn({ source: held, err: error, retryInSeconds }, `${held} is held: ${consequence}`)
    },

    gap(source, from, to) {
      log.error(
        { source: sourceText(source), from, to },
        `retention removed ${to - from} offset(s) of ${sourceText(source)} before they were folded: the view lacks what they said. Rebuild it only if the events exist elsewhere; lengthen the topic's retention`,
      )
    },

    draining(reason) {
      progress.draining(reason)
      log.info({ reason }, 'draining: writing and committing what was read')
    },

    end(source, end) {
      ledger.end(source, end)
      tellProgress(source)
    },
  }
}
