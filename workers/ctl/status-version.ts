import { sourceText } from '../../shared/events/position.ts'
import { versionName } from '../../shared/projection/projection.ts'
import type { Reach } from './reach.ts'
import type { Known, Sightings, State, StatusPorts, VersionStatus } from './status.ts'
import { lostTables, refusalsOf, replacedLogs } from './status-refusals.ts'
import { age, applied, countLetters, round, type Sample, sample, total } from './status-sample.ts'
import { scalingOf } from './status-scaling.ts'

/** How long rates are measured over: workers far behind commit every three seconds or so, so while there is lag more looks are taken. */
const SAMPLE_MS = 1_000
const PATIENT_SAMPLES = 4
/** How far back looks are kept. */
const WINDOW_MS = 60_000

/** How one version is doing. */
export async function versionStatus(
  known: Known,
  ports: StatusPorts,
  reach: Reach,
  sightings: Sightings,
): Promise<VersionStatus> {
  const { progress, deadLetters } = ports.books(known)
  const missing: string[] = []
  const [looks, recorded, served] = await Promise.all([
    look(known, ports, reach, missing),
    reach.ask('Cassandra', () => progress.list()),
    reach.ask('Cassandra', async () => (await ports.versions.served(known.name)) ?? null),
  ])
  const sources = looks?.last.partitions.map(({ source }) => source) ?? recorded?.map(({ source }) => source) ?? []
  const [waiting, tables, logs] = await Promise.all([
    reach.ask('Cassandra', () => countLetters(sources, deadLetters)),
    reach.ask('Cassandra', () => lostTables(known, ports.versions)),
    looks && reach.ask('Kafka', () => replacedLogs(looks.last, recorded ?? [], ports.log)),
  ])
  const common = {
    projection: known.name,
    version: known.version,
    served: served === undefined ? null : served?.version === known.version,
    deadLetters: waiting?.deadLetters ?? null,
    parked: waiting?.parked ?? null,
  }
  const why = [
    ...missing.map((topic) => `topic ${topic} does not exist: \`tidemark init\``),
    ...(looks ? refusalsOf(known, looks.last, recorded ?? []) : []),
    ...(tables ?? []),
    ...(logs ?? []),
  ]
  const refused = why.length > 0
  for (const { source, progress } of recorded ?? [])
    for (const [from, to] of progress.gaps)
      why.push(`retention removed ${sourceText(source)} from ${from} to ${to - 1} before it was folded`)
  if (waiting && waiting.deadLetters > 0)
    why.push(
      `${waiting.deadLetters} dead letter(s) to decide about, ${waiting.parked} event(s) wait behind them: \`tidemark dead-letters list ${known.name}\``,
    )
  if (!known.projection) why.push('its projection file is not loaded here')
  if (!looks)
    return {
      ...common,
      state: 'unknown',
      lag: null,
      ageSeconds: null,
      ratePerSecond: null,
      arrivalPerSecond: null,
      timeToDrainSeconds: null,
      members: null,
      scaling: null,
      why,
      partitions: (recorded ?? []).map(({ source, progress }) => ({
        source: sourceText(source),
        committed: progress.position + 1,
        end: null,
        lag: null,
      })),
    }

  const { first, last, group } = looks
  const members = group.members.length
  const seconds = Math.max(0.001, (last.at - first.at) / 1000)
  const lag = total(last, 'lag')
  const ratePerSecond = round(applied(first, last) / seconds)
  const arrivalPerSecond = round(Math.max(0, total(last, 'end') - total(first, 'end')) / seconds)
  const gain = ratePerSecond - arrivalPerSecond
  const started = known.record !== undefined || last.partitions.some(({ committed }) => committed !== null)
  if (started && members === 0) why.push('the group has no members')
  const watched = [...(sightings.get(versionName(known)) ?? []), first, last].filter(
    ({ at }) => last.at - at <= WINDOW_MS,
  )
  sightings.set(versionName(known), watched)
  return {
    ...common,
    state: stateOf({ refused, started, lag, members, group: group.state, rate: ratePerSecond }),
    lag,
    ageSeconds: lag === 0 ? 0 : ((await reach.ask('Kafka', () => age(last.partitions, ports))) ?? null),
    ratePerSecond,
    arrivalPerSecond,
    timeToDrainSeconds: lag === 0 ? 0 : gain > 0 ? Math.ceil(lag / gain) : null,
    members,
    scaling: (started && scalingOf(watched, members)) || null,
    why: [...new Set(why)],
    partitions: last.partitions.map(({ source, committed, end, lag }) => ({
      source: sourceText(source),
      committed,
      end,
      lag,
    })),
  }
}

type Group = Awaited<ReturnType<StatusPorts['describeGroup']>>

/** Two looks at the group, a while apart; undefined if Kafka is away. */
async function look(
  known: Known,
  ports: StatusPorts,
  reach: Reach,
  missing: string[],
): Promise<{ readonly first: Sample; readonly last: Sample; readonly group: Group } | undefined> {
  const name = versionName(known)
  const again = (into: string[]) => reach.ask('Kafka', () => sample(name, known.topics, ports, into))
  const [first, group] = await Promise.all([again(missing), reach.ask('Kafka', () => ports.describeGroup(name))])
  if (!first || !group) return undefined
  let last = first
  for (let samples = 0; samples < PATIENT_SAMPLES; samples++) {
    if (total(first, 'lag') === 0 && samples > 0) break
    await ports.clock.sleep(SAMPLE_MS)
    const next = await again([])
    if (!next) return undefined
    last = next
    if (group.members.length === 0) break
  }
  return { first, last, group }
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
