import { TidemarkError } from '../errors.ts'
import { positionText, type Source, sourceText } from '../events/position.ts'
import { definitionFingerprint, type Projection, tableName, versionName } from '../projection/projection.ts'
import { fingerprint } from './fingerprint.ts'
import type { Assignment, Log, Ports, Progress, TableIds, VersionRecord, VersionStore } from './ports.ts'
import { replacedTables } from './versions.ts'

/**
 * A version is what it was when it was created: the same definition over topics with the same partition counts, kept in the same
 * tables. Recorded on first sight, compared ever after. Throws DEFINITION_CHANGED, PARTITIONS_CHANGED or VIEW_LOST.
 */
export async function admitVersion(projection: Projection, log: Log, versions: VersionStore): Promise<VersionRecord> {
  const counts = await Promise.all(
    projection.topics.map(async ({ name }) => [name, (await log.bounds(name)).size] as const),
  )
  const now: VersionRecord & { readonly tables: TableIds } = {
    projection: projection.name,
    version: projection.version,
    definition: definitionFingerprint(projection),
    partitions: Object.fromEntries(counts),
    table: tableName(projection),
    tables: await versions.tables(projection),
  }
  const then = await versions.load(projection)
  if (!then) {
    await neverCommitted(projection, log, versions)
    // Two workers that start at once record the same; if one of them is of another definition, both find that out.
    await versions.save(now)
    return admitVersion(projection, log, versions)
  }
  if (then.definition !== now.definition) {
    throw new TidemarkError(
      'DEFINITION_CHANGED',
      `${versionName(projection)} was created with another table, topics or subscription than it declares now.`,
    )
  }
  for (const [topic, count] of counts) {
    if (then.partitions[topic] !== count) {
      throw new TidemarkError(
        'PARTITIONS_CHANGED',
        `${versionName(projection)} was created over ${then.partitions[topic] ?? 0} partitions of topic ${topic}, which now has ${count}.`,
      )
    }
  }
  if (!then.tables) {
    // Recorded by a release that did not know the tables: those of now are taken for those that were filled.
    await versions.save({ ...then, tables: now.tables })
    return admitVersion(projection, log, versions)
  }
  sameTables(projection, then.tables, now.tables)
  return then
}

/** An empty table under the old name takes writes without an error, and lacks everything that was folded or set aside before. */
function sameTables(projection: Projection, recorded: TableIds, now: TableIds): void {
  const replaced = replacedTables(recorded, now)
  if (replaced.length === 0) return
  throw new TidemarkError(
    'VIEW_LOST',
    `${versionName(projection)} was kept in another table ${replaced.join(', ')}, which was dropped and made again.`,
  )
}

/**
 * Commits come after the version was recorded, so what is committed by a version that nobody has recorded went into a view that is
 * gone: going on from there would leave out everything before. Another worker may have recorded it, and committed, just now.
 */
async function neverCommitted(projection: Projection, log: Log, versions: VersionStore): Promise<void> {
  const version = versionName(projection)
  for (const { name } of projection.topics)
    for (const [partition, offset] of await log.committed(version, name))
      if (offset > 0 && !(await versions.load(projection)))
        throw new TidemarkError(
          'VIEW_LOST',
          `${version} has committed ${name}/${partition} up to ${offset}, but Cassandra knows nothing of the version.`,
          {
            remedy: `If another installation with another keyspace uses this Kafka, the group is that one's: give each a Kafka of its own, and leave the group alone. Else forget what was committed (\`kafka-consumer-groups --delete --group ${version}\`) to build the view again from the beginning. A keyspace restored from a backup needs the same: it lacks what came after the backup.`,
          },
        )
}

async function endOf({ topic, partition }: Source, log: Log): Promise<number> {
  return (await log.bounds(topic)).get(partition)?.end ?? 0
}

/** Does another record lie where one was folded? Not if there is none any more: compaction may have removed it. */
export async function recordReplaced(
  source: Source,
  { position, fingerprint: folded }: Pick<Progress, 'position' | 'fingerprint'>,
  log: Pick<Ports['log'], 'read'>,
): Promise<boolean> {
  if (folded === undefined) return false
  for await (const [record] of log.read(source, position, position + 1))
    return record?.offset === position && fingerprint(record) !== folded
  return false
}

/**
 * Is the partition the one that was folded? The record at the last recorded position must look as it did. A re-created topic loses
 * its committed offsets too, so Kafka alone would not tell, and its low offsets would silently lose against the old stamps.
 * `folded` is how far this worker has got, if it had the partition before. Throws LOG_REPLACED. Gives what the version knows of the partition, with offsets that retention removed unfolded added.
 */
export async function admitPartition(
  version: string,
  assignment: Assignment,
  { log, progress, observer }: Pick<Ports, 'log' | 'progress' | 'observer'>,
  folded?: Pick<Progress, 'position' | 'fingerprint'>,
): Promise<Progress> {
  const { source, committed, logStart } = assignment
  const recorded = (await progress.load(source)) ?? { position: -1, fingerprint: undefined, gaps: [] }
  const known = folded && folded.position > recorded.position ? { ...recorded, ...folded } : recorded
  const replaced = (why: string) =>
    new TidemarkError('LOG_REPLACED', `${version}: ${sourceText(source)} is not the log that was folded: ${why}.`)

  // Another worker that still believes to own the partition may have folded what came after we were told where it ends.
  const end = known.position < assignment.end ? assignment.end : await endOf(source, log)
  if (known.position >= end) throw replaced(`it was folded up to offset ${known.position} but ends at ${end}`)
  if (committed !== undefined && committed > end)
    throw replaced(`offset ${committed} is committed but it ends at ${end}`)
  if (known.position >= logStart && (await recordReplaced(source, known, log)))
    throw replaced(`the record at ${positionText({ ...source, offset: known.position })} is another one`)
  const next = committed ?? Math.max(0, known.position + 1)
  if (next >= logStart) return known
  observer.gap(source, next, logStart)
  const gaps = known.gaps.some(([, to]) => to === logStart) ? known.gaps : [...known.gaps, [next, logStart] as const]
  return { ...known, gaps }
}
