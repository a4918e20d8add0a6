import { describe } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'

/** May a worker be counted on, and if not, why. One sentence a reason, for people. */
export interface Verdict {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/**
 * Decides readiness by progress: being far behind is fine as long as the distance is being worked on, standing still while
 * there is lag is not. Liveness has nothing to do with any of this: a worker that waits for Kafka or Cassandra is alive, and
 * restarting it would only lose its place.
 */
export interface Progress {
  /** The worker now reads exactly these partitions, and nothing is held that is not said again. Before the first call it is not ready. */
  assigned(sources: readonly Source[]): void
  /** `position` is durable in the view and `lag` events are beyond it. */
  at(source: Source, position: number, lag: number): void
  /** Work is held by an error; undefined when it goes on. Without a source the whole worker is meant. */
  held(source: Source | undefined, error: Error | undefined): void
  draining(reason: string): void
  verdict(): Verdict
}

interface Stretch {
  position: number
  lag: number
  /** When the position last moved, or the lag last was none. */
  movedAt: number
}

/** How long standing still is tolerated: several retries with capped back-off, and a rebalance. */
const PATIENCE_MS = 60_000

/** `name` begins each reason; `now` is milliseconds on any steady clock. */
export function createProgress(
  name: string,
  now: () => number = () => performance.now(),
  patienceMs = PATIENCE_MS,
): Progress {
  const stretches = new Map<string, Stretch>()
  const holds = new Map<string, { error: Error; since: number }>()
  let joined = false
  let leaving: string | undefined
  /** The worker as a whole. */
  const ALL = ''

  return {
    assigned(sources) {
      joined = true
      const names = new Set(sources.map(sourceText))
      for (const source of stretches.keys()) if (!names.has(source)) stretches.delete(source)
      // Whoever is still held says so again with the next failure; of the others nobody may ever tell the end.
      holds.clear()
      for (const source of names)
        stretches.set(source, { position: -1, lag: 0, ...stretches.get(source), movedAt: now() })
    },

    at(source, position, lag) {
      const stretch = stretches.get(sourceText(source))
      if (!stretch) return
      if (position !== stretch.position || lag === 0 || stretch.lag === 0) stretch.movedAt = now()
      stretch.position = position
      stretch.lag = lag
    },

    held(source, error) {
      const held = source ? sourceText(source) : ALL
      if (!error) holds.delete(held)
      else holds.set(held, { error, since: holds.get(held)?.since ?? now() })
    },

    draining(reason) {
      leaving = reason
    },

    verdict() {
      const reasons: string[] = []
      if (leaving !== undefined) reasons.push(`${name} is stopping: ${leaving}`)
      if (!joined) reasons.push(`${name} has not joined its consumer group yet${because(ALL)}`)
      for (const [source, { lag, movedAt }] of stretches) {
        const still = now() - movedAt
        if (lag > 0 && still >= patienceMs)
          reasons.push(
            `${name}: ${source} is ${lag} event(s) behind and has made no progress for ${seconds(still)}${because(source)}`,
          )
      }
      for (const [source, { since }] of holds) {
        const still = now() - since
        const known = source === ALL ? !joined : (stretches.get(source)?.lag ?? 0) > 0
        if (!known && still >= patienceMs)
          reasons.push(`${name}${source && `: ${source}`} has been held for ${seconds(still)}${because(source)}`)
      }
      return { ready: reasons.length === 0, reasons }
    },
  }

  function because(source: string): string {
    const error = (holds.get(source) ?? holds.get(ALL))?.error
    return error ? `. ${describe(error)}` : ''
  }
}

/** Ready if all are. */
export function together(verdicts: readonly Verdict[]): Verdict {
  return { ready: verdicts.every(({ ready }) => ready), reasons: verdicts.flatMap(({ reasons }) => reasons) }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`
}
