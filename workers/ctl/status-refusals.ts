import {
  type Log,
  type ProgressStore,
  recordReplaced,
  replacedTables,
  type VersionRecord,
  type VersionStore,
} from '../../shared/engine/index.ts'
import { TidemarkError } from '../../shared/errors.ts'
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

/** The tables of a version that are gone, or others under the same names. */
export async function lostTables(
  { record, projection }: { readonly record: VersionRecord | undefined; readonly projection: Projection | undefined },
  versions: Pick<VersionStore, 'tables'>,
): Promise<string[]> {
  if (!record?.tables || !projection) return []
  try {
    const replaced = replacedTables(record.tables, await versions.tables(projection))
    return replaced.map((name) => `table ${name} is not the one that was filled: it was dropped and made again`)
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'CASSANDRA_SCHEMA') return [error.message]
    throw error
  }
}

/** Topics that are others under the same names: another record lies where one was folded. */
export async function replacedLogs(
  { partitions }: Sample,
  recorded: Awaited<ReturnType<ProgressStore['list']>>,
  log: Pick<Log, 'read'>,
): Promise<string[]> {
  const found = await Promise.all(
    recorded.map(async ({ source, progress }) => {
      const { position } = progress
      const bounds = partitions.find((one) => sourceText(one.source) === sourceText(source))
      if (!bounds || position < bounds.start || position >= bounds.end) return []
      if (!(await recordReplaced(source, progress, log))) return []
      return [
        `${sourceText(source)} has another record at ${position} than the one that was folded: the topic was re-created`,
      ]
    }),
  )
  return found.flat()
}
