import type { Session } from '../../../shared/cassandra/index.ts'
import { counted } from '../terminal.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

export interface Node {
  readonly dataCenter: string
  readonly release: string
}

export interface KeyspaceReplication {
  /** `SimpleStrategy`, `NetworkTopologyStrategy`. */
  readonly strategy: string
  /** By data centre; of SimpleStrategy as `replication_factor`. */
  readonly replicas: Readonly<Record<string, number>>
}

export async function nodesOf(session: Session): Promise<readonly Node[]> {
  const about = 'asking the nodes for their release'
  const { rows: local } = await session.read('SELECT data_center, release_version FROM system.local', [], about)
  const { rows: peers } = await session.read('SELECT data_center, release_version FROM system.peers', [], about)
  return [...local, ...peers].map((row) => ({
    dataCenter: String(row.data_center),
    release: String(row.release_version),
  }))
}

/** Undefined if there is no such keyspace. */
export async function replicationOf(session: Session): Promise<KeyspaceReplication | undefined> {
  const { rows } = await session.read(
    `SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = '${session.keyspace}'`,
    [],
    `looking at keyspace ${session.keyspace}`,
  )
  const replication: unknown = rows[0]?.replication
  if (typeof replication !== 'object' || replication === null) return undefined
  const { class: strategy, ...replicas } = Object.fromEntries(
    replication instanceof Map ? replication : Object.entries(replication),
  )
  return {
    strategy: String(strategy).split('.').at(-1) ?? '',
    // `3/1` counts transient replicas behind the stroke.
    replicas: Object.fromEntries(
      Object.entries(replicas).map(([name, factor]) => [name, Number(String(factor).split('/')[0])]),
    ),
  }
}

export function nodeFindings(nodes: readonly Node[]): readonly Finding[] {
  const releases = [...new Set(nodes.map(({ release }) => release))].sort()
  const about = `${counted(nodes.length, 'node')}, release ${releases.join(', ')}`
  if (releases.some((release) => Number(release.split('.')[0]) < 4))
    return [fail('cassandra', about, 'Tidemark needs Cassandra 4.0 or newer on every node.')]
  if (releases.length > 1)
    return [warn('cassandra', about, 'Finish the upgrade before changing the schema (`tidemark init`, new versions).')]
  return [ok('cassandra', about)]
}

/** Can LOCAL_QUORUM be reached, and does it survive a node? */
export function replicationFindings(
  keyspace: string,
  dataCenter: string,
  nodes: readonly Node[],
  found: KeyspaceReplication | undefined,
): readonly Finding[] {
  const subject = `keyspace ${keyspace}`
  if (!found) return [fail(subject, 'does not exist', 'Run `tidemark init`.')]
  const { strategy, replicas } = found
  const local = nodes.filter((node) => node.dataCenter === dataCenter).length
  const factor = strategy === 'SimpleStrategy' ? (replicas.replication_factor ?? 0) : (replicas[dataCenter] ?? 0)
  if (factor === 0)
    return [
      fail(
        subject,
        `has no replicas in data centre ${dataCenter}: every request at LOCAL_QUORUM fails`,
        `ALTER KEYSPACE ${keyspace} so that ${dataCenter} has replicas, then run nodetool repair; or set CASSANDRA_LOCAL_DATACENTER.`,
      ),
    ]
  const findings: Finding[] = []
  if (strategy === 'SimpleStrategy' && new Set(nodes.map((node) => node.dataCenter)).size > 1) {
    findings.push(
      warn(
        subject,
        'uses SimpleStrategy over several data centres',
        `ALTER KEYSPACE ${keyspace} to NetworkTopologyStrategy.`,
      ),
    )
  }
  const quorum = Math.floor(factor / 2) + 1
  if (quorum > local)
    findings.push(
      fail(
        subject,
        `has ${factor} replicas in ${dataCenter}, which has ${counted(local, 'node')}: no quorum of ${quorum}`,
        `Lower the factor to ${Math.max(1, local)}, or add nodes.`,
      ),
    )
  else if (factor > local)
    findings.push(
      warn(
        subject,
        `has ${factor} replicas in ${dataCenter}, which has ${counted(local, 'node')}`,
        'Add nodes, or lower the factor.',
      ),
    )
  else if (factor < Math.min(3, local))
    findings.push(
      warn(
        subject,
        `has ${counted(factor, 'replica')} on ${counted(local, 'node')}: one node away and rows can't be written`,
        `ALTER KEYSPACE ${keyspace} to 3 replicas in ${dataCenter}, then run nodetool repair.`,
      ),
    )
  const alone = local === 1 ? ': a single copy, good for development only' : ''
  return findings.length > 0 ? findings : [ok(subject, `${counted(factor, 'replica')} in ${dataCenter}${alone}`)]
}
