import type {
  Clock,
  DeadLetterDesk,
  DeadLetterStore,
  Log,
  ProgressStore,
  VersionRecord,
  VersionStore,
} from '../../shared/engine/index.ts'
import { sourceText } from '../../shared/events/position.ts'
import { definitionFingerprint, type Projection, versionName } from '../../shared/projection/projection.ts'
import { age, applied, countLetters, round, type Sample, sample, total } from './status-sample.ts'

/**
 * What a version is doing:
 *
 * - `never-started` no worker has ever run it
 * - `refused` a worker would refuse to run, or its topic is missing: see `why`
 * - `stopped` events wait and the group has no members
 * - `rebalancing` the group is handing partitions over
 * - `stalled` events wait, there are members, and nothing was committed while we looked
 * - `running` events wait and are being applied
 * - `caught-up` no events wait (whether or not there are members: a fleet may be scaled to zero)
 */
export type State = 'never-started' | 'refused' | 'stopped' | 'rebalancing' | 'stalled' | 'running' | 'caught-up'

/** One entry of `tidemark status --json`. */
export interface VersionStatus {
  readonly projection: string
  readonly version: number
  readonly state: State
  /** Events behind the end of the log. */
  readonly lag: number
  /** Seconds since the oldest unapplied event was produced; 0 if there is none. */
  readonly ageSeconds: number
  /** Events applied and events produced per second, while we looked. */
  readonly ratePerSecond: number
  readonly arrivalPerSecond: number
  /** At these rates; null if the lag does not shrink. */
  readonly timeToDrainSeconds: number | null
  readonly members: number
  /** Unresolved poison events, and events that wait behind them. */
  readonly deadLetters: number
  readonly parked: number
  /** What a person should know; empty if nothing. */
  readonly why: readonly string[]
  readonly partitions: readonly PartitionStatus[]
}

export interface PartitionStatus {
  /** `carts/3`. */
  readonly source: string
  /** The next offset to be applied; null if nothing was ever committed. */
  readonly committed: number | null
  readonly end: number
  readonly lag: number
}

export interface StatusPorts {
  readonly log: Log
  readonly versions: Pick<VersionStore, 'list'>
  /** Kafka's word for the group's state, and its members. */
  describeGroup(group: string): Promise<{ readonly state: string; readonly members: readonly unknown[] }>
  /** What one version keeps beside its view. */
  books(version: Pick<Projection, 'name' | 'version'>): {
    readonly progress: Pick<ProgressStore, 'list'>
    readonly deadLetters: Pick<DeadLetterStore, 'events'> & Pick<DeadLetterDesk, 'list'>
  }
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** A version that was recorded, that could be run, or both. */
interface Known {
  readonly name: string
  readonly version: number
  readonly topics: readonly string[]
  readonly record: VersionRecord | undefined
  readonly projection: Projection | undefined
}

/** How long rates are measured over: workers that are behind commit about once a second, so one that looks idle is looked at again. */
const SAMPLE_MS = 1_000
const PATIENT_SAMPLES = 3

/**
 * How the projections are doing: those given, and every version of them that was ever run; without `only`, also versions of
 * projections that are not loaded. By name and version. Takes a second to see the rates, or three where nothing moves. Changes nothing. Rejects with transient errors.
 */
export async function statusOf(
  projections: readonly Projection[],
  ports: StatusPorts,
  only = false,
): Promise<readonly VersionStatus[]> {
  const names = new Set(projections.map(({ name }) => name))
  const known = (await knownVersions(projections, ports)).filter(({ name }) => !only || names.has(name))
  return Promise.all(known.map((one) => versionStatus(one, ports)))
}

async function knownVersions(projections: readonly Projection[], { versions }: StatusPorts): Promise<readonly Known[]> {
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
  for (const record of await versions.list()) {
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

async function versionStatus(known: Known, ports: StatusPorts): Promise<VersionStatus> {
  const group = versionName(known)
  const why: string[] = []
  const missing: string[] = []
  const { progress, deadLetters } = ports.books(known)
  const [first, members, recorded] = await Promise.all([
    sample(group, known.topics, ports, missing),
    ports.describeGroup(group),
    progress.list(),
  ])
  let last = first
  for (let samples = 0; samples < PATIENT_SAMPLES; samples++) {
    if (total(first, 'lag') === 0 && samples > 0) break
    await ports.clock.sleep(SAMPLE_MS)
    last = await sample(group, known.topics, ports, [])
    if (applied(first, last) > 0 || members.members.length === 0) break
  }
  const seconds = Math.max(0.001, (last.at - first.at) / 1000)
  const lag = total(last, 'lag')
  const ratePerSecond = round(applied(first, last) / seconds)
  const arrivalPerSecond = round(Math.max(0, total(last, 'end') - total(first, 'end')) / seconds)
  const gain = ratePerSecond - arrivalPerSecond
  const waiting = await countLetters(last.partitions, deadLetters)
  const refusals = [
    ...missing.map((topic) => `topic ${topic} does not exist: \`tidemark init\``),
    ...refusalsOf(known, last, recorded),
  ]
  for (const {
    source,
    progress: { gaps },
  } of recorded) {
    for (const [from, to] of gaps)
      why.push(`retention removed ${sourceText(source)} from ${from} to ${to - 1} before it was folded`)
  }
  if (waiting.deadLetters > 0)
    why.push(
      `${waiting.deadLetters} dead letter(s) to decide about, ${waiting.parked} event(s) wait behind them: \`tidemark dead-letters list ${known.name}\``,
    )
  if (!known.projection) why.push('its projection file is not loaded here')
  const started = known.record !== undefined || last.partitions.some(({ committed }) => committed !== null)
  const state = stateOf({
    refused: refusals.length > 0,
    started,
    lag,
    members: members.members.length,
    group: members.state,
    rate: ratePerSecond,
  })
  if (started && members.members.length === 0) why.push('the group has no members')
  return {
    projection: known.name,
    version: known.version,
    state,
    lag,
    ageSeconds: lag === 0 ? 0 : await age(last.partitions, ports),
    ratePerSecond,
    arrivalPerSecond,
    timeToDrainSeconds: lag === 0 ? 0 : gain > 0 ? Math.ceil(lag / gain) : null,
    members: members.members.length,
    ...waiting,
    why: [...new Set([...refusals, ...why])],
    partitions: last.partitions.map(({ source, committed, end, lag }) => ({
      source: sourceText(source),
      committed,
      end,
      lag,
    })),
  }
}

function stateOf({
  refused,
  started,
  lag,
  members,
  group,
  rate,
}: {
  refused: boolean
  started: boolean
  lag: number
  members: number
  group: string
  rate: number
}): State {
  if (refused) return 'refused'
  if (!started && members === 0) return 'never-started'
  if (lag === 0) return 'caught-up'
  if (members === 0) return 'stopped'
  if (group === 'PreparingRebalance' || group === 'CompletingRebalance') return 'rebalancing'
  return rate > 0 ? 'running' : 'stalled'
}

/** Why a worker would not run. */
function refusalsOf(
  { record, projection }: Known,
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
