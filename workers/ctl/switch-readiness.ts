import type { Clock, Log, VersionRecord } from '../../shared/engine/index.ts'
import { sourceText } from '../../shared/events/position.ts'
import { type Projection, versionName } from '../../shared/projection/projection.ts'
import type { Books } from './status.ts'
import { refusalsOf } from './status-refusals.ts'
import { countLetters, type Sample, sample } from './status-sample.ts'
import { count, counted } from './terminal.ts'

export interface ReadinessPorts {
  readonly log: Log
  readonly clock: Clock
  /** The definitions that are loaded, to compare with what was recorded. */
  readonly projections: readonly Projection[]
  /** The tables of the keyspace. */
  tables(): Promise<ReadonlySet<string>>
  books(version: Pick<Projection, 'name' | 'version'>): Books
  /** Milliseconds for a version to reach the end as it was when asked. Default 10,000. */
  readonly patienceMs?: number
}

/** What speaks against letting readers see a version; empty if nothing. */
export interface Readiness {
  /** It can't be read, or its workers would refuse to run. */
  readonly unreadable: readonly string[]
  /** It can be read, but lacks events. */
  readonly lacking: readonly string[]
}

const PATIENCE_MS = 10_000
/** A worker that keeps up commits many times a second. */
const PAUSE_MS = 250

/** Looks at a version, and waits for it while it has not reached the end as it was when asked. Rejects with transient errors. */
export async function readinessOf(record: VersionRecord, ports: ReadinessPorts): Promise<Readiness> {
  const { projection: name, version, table } = record
  const known = {
    record,
    projection: ports.projections.find((one) => one.name === name && one.version === version),
  }
  const books = ports.books({ name, version })
  const missing: string[] = []
  const [tables, recorded] = await Promise.all([ports.tables(), books.progress.list()])
  // After what was recorded, so that the end is never an older one.
  const asked = await sample(versionName({ name, version }), Object.keys(record.partitions), ports, missing)
  const unreadable = [
    ...(tables.has(table) ? [] : [`its table ${table} does not exist: \`tidemark init\` and run it again`]),
    ...missing.map((topic) => `topic ${topic} does not exist`),
    ...refusalsOf(known, asked, recorded),
  ]
  const lacking: string[] = []
  const behind = unreadable.length > 0 ? 0 : await behindAfterWaiting(record, asked, ports)
  if (behind > 0)
    lacking.push(
      `${counted(behind, 'event')} of the log as it was when asked ${behind === 1 ? 'is' : 'are'} not in it yet`,
    )
  const { deadLetters, parked } = await countLetters(
    asked.partitions.map(({ source }) => source),
    books.deadLetters,
  )
  if (deadLetters > 0)
    lacking.push(
      `${counted(deadLetters, 'dead letter')} to decide about, ${count(parked)} waiting behind: \`tidemark dead-letters list ${versionName({ name, version })}\``,
    )
  for (const { source, progress } of recorded)
    for (const [from, to] of progress.gaps)
      lacking.push(`retention removed ${sourceText(source)} from ${from} to ${to - 1} before it was folded`)
  return { unreadable, lacking }
}

async function behindAfterWaiting(
  { projection: name, version, partitions }: VersionRecord,
  asked: Sample,
  ports: ReadinessPorts,
): Promise<number> {
  const { clock, patienceMs = PATIENCE_MS } = ports
  const ends = new Map(asked.partitions.map(({ source, end }) => [sourceText(source), end]))
  const startedAt = clock.now()
  for (let now = asked; ; now = await sample(versionName({ name, version }), Object.keys(partitions), ports, [])) {
    const behind = now.partitions.reduce(
      (sum, { source, start, committed }) =>
        sum + Math.max(0, (ends.get(sourceText(source)) ?? 0) - Math.max(start, committed ?? start)),
      0,
    )
    if (behind === 0 || clock.now() - startedAt >= patienceMs) return behind
    await clock.sleep(PAUSE_MS)
  }
}
