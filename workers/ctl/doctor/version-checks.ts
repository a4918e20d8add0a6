import type { VersionStore } from '../../../shared/engine/index.ts'
import { catalogue } from '../../../shared/errors.ts'
import type { GroupMember } from '../../../shared/kafka/index.ts'
import { definitionFingerprint, type Projection, versionName } from '../../../shared/projection/projection.ts'
import { counted } from '../terminal.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** What Kafka has, for what Cassandra has is compared with it. */
export interface Counts {
  /** By topic. */
  readonly partitions: Map<string, number>
  /** By consumer group. */
  readonly members: Map<string, readonly Pick<GroupMember, 'view'>[]>
}

/** Are the workers of a version its own, which write into this table, and is there one where it is `needed`? */
export function memberFindings(
  version: string,
  members: readonly Pick<GroupMember, 'view'>[],
  tableId: string | undefined,
  needed: boolean,
): readonly Finding[] {
  const others = members.filter(({ view }) => view !== undefined && view !== tableId).length
  const subject = `workers of ${version}`
  const findings: Finding[] = []
  if (others > 0)
    findings.push(
      fail(
        subject,
        `share their consumer group with ${counted(others, 'member')} of another keyspace or table`,
        catalogue.GROUP_SHARED.remedy,
      ),
    )
  if (needed && members.length === others)
    findings.push(
      fail(subject, 'are to run, and there are none', 'See what they said last: they wait, or refuse to run.'),
    )
  return findings
}

/** Is the version what it was when it began? A worker refuses it otherwise. It must have begun if it is `needed`. */
export function versionFindings(
  projection: Projection,
  record: Awaited<ReturnType<VersionStore['load']>>,
  counts: Counts,
  needed = false,
): readonly Finding[] {
  const subject = `version ${versionName(projection)}`
  if (!record)
    return needed
      ? [fail(subject, 'is to run, and has not begun', 'See what its workers said last: they wait, or refuse to run.')]
      : [ok(subject, 'has not been run yet')]
  const findings: Finding[] = []
  if (record.definition !== definitionFingerprint(projection)) {
    findings.push(
      fail(
        subject,
        'was begun with another table, other topics or another subscription',
        'Raise `version`: the new table is filled beside the old one.',
      ),
    )
  }
  for (const [topic, before] of Object.entries(record.partitions)) {
    const now = counts.partitions.get(topic)
    if (now === undefined || now === before) continue
    findings.push(
      fail(
        subject,
        `was begun over ${before} partitions of topic ${topic}, which now has ${now}: keys have moved`,
        'Raise `version` to rebuild the view from the log.',
      ),
    )
  }
  return findings.length > 0 ? findings : [ok(subject, 'is what it was when it began')]
}

/** Could a query server with these files answer readers with the version that they are to see? */
export function servedFindings(
  name: string,
  loaded: readonly Pick<Projection, 'version'>[],
  served: Awaited<ReturnType<VersionStore['served']>>,
): readonly Finding[] {
  if (!served || loaded.some(({ version }) => version === served.version)) return []
  return [
    warn(
      `readers of ${name}`,
      `are to see version ${served.version}, which is not loaded here: a query server like this answers 503, VERSION_NOT_LOADED`,
      `Where query runs, load the file of version ${served.version} as well, or \`tidemark switch ${name}\` to one that is loaded.`,
    ),
  ]
}
