import type {
  Clock,
  DeadLetterDesk,
  DeadLetterStore,
  Log,
  ProgressStore,
  VersionRecord,
  VersionStore,
} from '../../shared/engine/index.ts'
import { type Projection, versionName } from '../../shared/projection/projection.ts'
import { Reach } from './reach.ts'
import type { Sample } from './status-sample.ts'
import type { Scaling } from './status-scaling.ts'
import { versionStatus } from './status-version.ts'

/**
 * What a version is doing:
 *
 * - `never-started` no worker has ever run it
 * - `refused` a worker would refuse to run, or its topic is missing: see `why`
 * - `stopped` events wait and the group has no members
 * - `rebalancing` the group is handing partitions over
 * - `stalled` events wait, there are members, and nothing was committed while we looked
 * - `running` events wait and are being applied
 * - `unknown` Kafka is away
 * - `caught-up` no events wait (whether or not there are members: a fleet may be scaled to zero)
 */
export type State =
  | 'never-started'
  | 'refused'
  | 'stopped'
  | 'rebalancing'
  | 'stalled'
  | 'running'
  | 'caught-up'
  | 'unknown'

/** One entry of `tidemark status --json`. What the server that is away would have said is null. */
export interface VersionStatus {
  readonly projection: string
  readonly version: number
  readonly state: State
  /** Is it the version that readers see? False while none was ever run. */
  readonly served: boolean | null
  /** Events behind the end of the log. */
  readonly lag: number | null
  /** Seconds since the oldest unapplied event was produced; 0 if there is none. */
  readonly ageSeconds: number | null
  /** Events applied and events produced per second, while we looked. */
  readonly ratePerSecond: number | null
  readonly arrivalPerSecond: number | null
  /** At these rates; null if the lag does not shrink. */
  readonly timeToDrainSeconds: number | null
  readonly members: number | null
  /** Unresolved poison events, and events that wait behind them. */
  readonly deadLetters: number | null
  readonly parked: number | null
  /** Null while it can't be seen: without Kafka, and without its topics. */
  readonly scaling: Scaling | null
  /** What a person should know; empty if nothing. */
  readonly why: readonly string[]
  readonly partitions: readonly PartitionStatus[]
}

export interface PartitionStatus {
  /** `carts/3`. */
  readonly source: string
  /** The next offset to be applied; null if nothing was ever committed. */
  readonly committed: number | null
  readonly end: number | null
  readonly lag: number | null
}

/** What one version keeps beside its view, as far as it is looked at here. */
export interface Books {
  readonly progress: Pick<ProgressStore, 'list'>
  readonly deadLetters: Pick<DeadLetterStore, 'events'> & Pick<DeadLetterDesk, 'list'>
}

export interface StatusPorts {
  readonly log: Log
  readonly versions: Pick<VersionStore, 'list' | 'served' | 'tables'>
  /** Kafka's word for the group's state, and its members. */
  describeGroup(group: string): Promise<{ readonly state: string; readonly members: readonly unknown[] }>
  /** What one version keeps beside its view. */
  books(version: Pick<Projection, 'name' | 'version'>): Books
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** A version that was recorded, that could be run, or both. */
export interface Known {
  readonly name: string
  readonly version: number
  readonly topics: readonly string[]
  readonly record: VersionRecord | undefined
  readonly projection: Projection | undefined
}

/** All that was found out, and which server did not take part. */
export interface Statuses {
  readonly versions: readonly VersionStatus[]
  readonly away: Reach['away']
}

/** Looks at groups that were had before, by group: `--watch` keeps them, so that rates and capacity are seen over a minute. */
export type Sightings = Map<string, readonly Sample[]>

/**
 * How the projections are doing: those given, and every version of them that was ever run; without `only`, also versions of
 * projections that are not loaded. By name and version. Takes a second to see the rates, or three where nothing moves. A server that is away is waited for five seconds; the other's part is told all the same. Changes nothing.
 */
export async function statusOf(
  projections: readonly Projection[],
  ports: StatusPorts,
  { only = false, sightings = new Map() }: { readonly only?: boolean; readonly sightings?: Sightings } = {},
): Promise<Statuses> {
  const reach = new Reach()
  const names = new Set(projections.map(({ name }) => name))
  const known = (await knownVersions(projections, ports, reach)).filter(({ name }) => !only || names.has(name))
  const versions = await Promise.all(known.map((one) => versionStatus(one, ports, reach, sightings)))
  return { versions, away: reach.away }
}

async function knownVersions(
  projections: readonly Projection[],
  { versions }: StatusPorts,
  reach: Reach,
): Promise<readonly Known[]> {
  const known = new Map<string, Known>()
  for (const projection of projections) {
    const { name, version, topics } = projection
    known.set(versionName(projection), {
      name,
      version,
      topics: topics.map((topic) => topic.name),
      record: undefined,
      projection,
    })
  }
  for (const record of (await reach.ask('Cassandra', () => versions.list())) ?? []) {
    const { projection: name, version } = record
    const topics = Object.keys(record.partitions)
    const loaded = known.get(versionName({ name, version }))
    known.set(versionName({ name, version }), {
      name,
      version,
      topics: loaded?.topics ?? topics,
      record,
      projection: loaded?.projection,
    })
  }
  return [...known.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version))
}
