import type { ProgressStore, VersionRecord } from '../../shared/engine/index.ts'
import { sourceText } from '../../shared/events/position.ts'
import { definitionFingerprint, type Projection } from '../../shared/projection/projection.ts'
import type { Sample } from './status-sample.ts'

/** Why a worker would not run a version; empty if nothing speaks against it. What was recorded must have been read before the sample. */
export function refusalsOf(
  { record, projection }: { readonly record: VersionRecord | undefined; readonly projection: Projection | undefined },
  { partitions }: Sample,
  recorded: Awaited<ReturnType<ProgressStore['list']>>,
): string[] {
  const refusals: string[] = []
  if (record && projection && record.definition !== definitionFingerprint(projection))
    refusals.push('its definition has changed: raise the version')
  for (const [topic, count] of Object.entries(record?.partitions ?? {})) {
    const now = partitions.filter(({ source }) => source.topic === topic).length
    if (now > 0 && now !== count)
      refusals.push(`topic ${topic} has ${now} partitions, but had ${count} when the version began: raise the version`)
  }
  for (const { source, committed, end } of partitions) {
    const position = recorded.find((one) => sourceText(one.source) === sourceText(source))?.progress.position ?? -1
    if (position >= end || (committed ?? 0) > end)
      refusals.push(
        `${sourceText(source)} ends at ${end}, but was folded up to ${Math.max(position + 1, committed ?? 0)}: the topic was re-created or cut`,
      )
  }
  return refusals
}
