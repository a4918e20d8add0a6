import { type Source, sourceText } from '../events/position.ts'
import { foldOf } from '../projection/fold.ts'
import { type Projection, versionName } from '../projection/projection.ts'
import { admitPartition, admitVersion } from './admission.ts'
import { Partition } from './partition.ts'
import type { Assignment, Ports, SourceListener } from './ports.ts'
import { Abandoned, persist } from './recovery.ts'
import { Feeds } from './seen.ts'
import { defaultSettings, type EngineSettings } from './settings.ts'

export interface Projector {
  /** Runs until `stop` (resolves), or until it can't go on (rejects with the reason, after what was done is durable where possible). */
  run(): Promise<void>
  /** Drains, commits, leaves the group. Safe to call twice. */
  stop(reason: string): Promise<void>
}

/**
 * Keeps one view up to date: partitions in parallel, each strictly in order.
 *
 * Why no fencing is needed: commit follows write, so a new owner starts at or before anything an old one has left undone; rows
 * that the old one wrote further ahead carry a higher position and are skipped until the log gets there; and both compute the
 * same value for the same position, with the same stamp.
 */
export function projector(projection: Projection, ports: Ports, settings: EngineSettings = defaultSettings): Projector {
  const fold = foldOf(projection)
  const version = versionName(projection)
  const owned = new Map<string, Partition>()
  const feeds = new Feeds()
  const ending = new AbortController()
  /** Aborted when the next generation begins: what the last one still waits for is then of no use. */
  let generation = new AbortController()
  let fault: { readonly error: unknown } | undefined
  let stopping: Promise<void> | undefined

  const listener: SourceListener = {
    async assigned(assignments) {
      generation.abort()
      generation = new AbortController()
      const { signal } = generation
      const keep = new Set(assignments.filter(({ kept }) => kept).map(({ source }) => sourceText(source)))
      // First of all what is no longer ours, or was somebody else's meanwhile, is let go: nothing of it is written or committed from here on.
      for (const [name, partition] of owned) {
        if (keep.has(name)) continue
        partition.abandon()
        owned.delete(name)
      }
      ports.observer.assigned(assignments)
      try {
        if (assignments.length > 0)
          await hold(undefined, signal, () => admitVersion(projection, ports.log, ports.versions))
        await Promise.all(assignments.map((assignment) => take(assignment, 1 / assignments.length, signal)))
      } catch (error) {
        if (!(error instanceof Abandoned)) throw error
      }
    },

    async records(batch) {
      await owned.get(sourceText(batch.source))?.records(batch)
    },

    async drain() {
      // Partitions that still wait for the world to become ours have nothing to write, and would keep the group waiting.
      generation.abort()
      await Promise.all([...owned.values()].map((partition) => partition.drain()))
    },
  }

  return {
    async run() {
      const polling = poll()
      try {
        await hold(undefined, ending.signal, () => admitVersion(projection, ports.log, ports.versions))
        await ports.source.run(listener)
      } catch (error) {
        // Stopped while still waiting for the world: nothing had begun.
        if (!(error instanceof Abandoned)) fault ??= { error }
      } finally {
        ending.abort()
        for (const partition of owned.values()) partition.abandon()
        await polling
      }
      if (fault) throw fault.error
    },
    stop,
  }

  function stop(reason: string): Promise<void> {
    stopping ??= (async () => {
      ports.observer.draining(reason)
      if (owned.size === 0) ending.abort()
      await ports.source.stop()
      ending.abort()
    })()
    return stopping
  }

  /** A fault in one partition ends the process, since only a fresh one is known to be sound; the others are drained first. */
  function failed(error: unknown): void {
    fault ??= { error }
    void stop('a fault')
  }

  /** Takes a partition over, or goes on with it where it never stopped being the fold of everything before `start`. */
  async function take(assignment: Assignment, share: number, signal: AbortSignal): Promise<void> {
    const { source, start, logStart } = assignment
    const name = sourceText(source)
    const current = owned.get(name)
    const [{ gaps }, setAside] = await Promise.all([
      hold(source, signal, () => admitPartition(version, assignment, ports, current?.folded)),
      hold(source, signal, () => ports.deadLetters.load(source, start)),
    ])
    if (signal.aborted) return
    if (current?.continues(start, setAside.parked)) {
      // Said again only when the generation has begun: before, it is not known whose the partition is.
      void ports.clock.sleep(0).then(() => current.goOn(start, share))
      return
    }
    current?.abandon()
    const complete = start === 0 && logStart === 0
    const fedBy = (id: string) => {
      const other = feeds.meet(id, name)
      return other !== undefined && owned.get(other)?.holds(id) ? other : undefined
    }
    owned.set(
      name,
      new Partition({ source, fold, ports, settings, start, complete, setAside, gaps, fedBy, share, failed }),
    )
    ports.observer.parked(source, [...setAside.parked.keys()].length)
  }

  /** One partition after the other within the interval: all at once, their questions would keep the view's writes waiting. */
  async function poll(): Promise<void> {
    const answering = new Map<Partition, Promise<void>>()
    for (let turn = 0; !ending.signal.aborted; turn++) {
      await ports.clock.sleep(settings.requestPollMs / Math.max(1, owned.size), ending.signal)
      const partition = [...owned.values()][turn % owned.size]
      if (!partition || answering.has(partition)) continue
      const answered = partition.answerRequests().catch(failed)
      answering.set(
        partition,
        answered.finally(() => answering.delete(partition)),
      )
    }
    await Promise.all(answering.values())
  }

  function hold<T>(source: Source | undefined, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return persist(work, {
      clock: ports.clock,
      backoffMs: settings.backoffMs,
      signal,
      held: (error, seconds) => ports.observer.held(source, error, seconds),
    })
  }
}
