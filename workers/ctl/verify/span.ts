import type { Log, ProgressStore } from '../../../shared/engine/index.ts'
import { type Source, sourceText } from '../../../shared/events/position.ts'
import type { Projection } from '../../../shared/projection/projection.ts'

/** What a proof is about in one partition: the events from `start` to `end` (exclusive). */
export interface Span {
  readonly source: Source
  /** `carts/3`. */
  readonly name: string
  readonly start: number
  readonly end: number
  /**
   * Does the log still have every event the view was made from? Then the fold of what it has is what the view must hold. If
   * not, a row may carry what events had said that retention has removed since.
   */
  readonly whole: boolean
  /** The position and the fingerprint of the record there, as the worker recorded them. */
  readonly mark: { readonly position: number; readonly fingerprint: string } | undefined
}

/** The partitions of a projection's topics as they are now. Throws TOPIC_MISSING. */
export async function spansOf(
  projection: Projection,
  log: Log,
  progress: Pick<ProgressStore, 'list'>,
): Promise<readonly Span[]> {
  const known = new Map((await progress.list()).map(({ source, progress: recorded }) => [sourceText(source), recorded]))
  const spans: Span[] = []
  for (const { name: topic } of projection.topics) {
    for (const [partition, { start, end }] of await log.bounds(topic)) {
      const source = { topic, partition }
      const recorded = known.get(sourceText(source))
      const mark =
        recorded?.fingerprint === undefined
          ? undefined
          : { position: recorded.position, fingerprint: recorded.fingerprint }
      // A view that began when the log did is whole, even if the log had lost its first events before.
      const began = recorded?.gaps.some(([from, to]) => from === 0 && to === start) ?? false
      spans.push({ source, name: sourceText(source), start, end, whole: start === 0 || began, mark })
    }
  }
  return spans.sort((a, b) =>
    a.source.topic === b.source.topic ? a.source.partition - b.source.partition : a.name < b.name ? -1 : 1,
  )
}

/** How many events of the spans the group has not committed yet. */
export async function lagOf(group: string, spans: readonly Span[], log: Log): Promise<number> {
  let lag = 0
  for (const topic of new Set(spans.map(({ source }) => source.topic))) {
    const committed = await log.committed(group, topic)
    for (const { source, start, end } of spans) {
      if (source.topic === topic) lag += Math.max(0, end - Math.max(start, committed.get(source.partition) ?? start))
    }
  }
  return lag
}
