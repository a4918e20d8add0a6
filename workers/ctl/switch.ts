import type { Served, VersionRecord, VersionStore } from '../../shared/engine/index.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { nearest } from '../../shared/nearest.ts'
import { type Readiness, type ReadinessPorts, readinessOf } from './switch-readiness.ts'

export interface SwitchPorts extends ReadinessPorts {
  readonly versions: Pick<VersionStore, 'list' | 'served' | 'serve'>
}

/** What a switch or a rollback has done. */
export interface Switched {
  /** The version that readers saw before, and the one they see now: the same if they saw it already. */
  readonly before: number
  readonly after: number
  /** What the new version lacks, although readers now see it. */
  readonly lacking: readonly string[]
}

/**
 * Lets readers see a version of a projection: by default its newest. It refuses with SWITCH_REFUSED, and nothing has changed, where
 * the version can't be read (no table, refused to run) or lacks events: not caught up within ten seconds with the end as it was
 * when asked, events waiting behind dead letters, events that retention removed first. `despiteLag` passes over what is lacking.
 *
 * One plain write: a command that died is repeated. Of two people whose writes overlap one wins as a whole; the other's
 * command says so and fails.
 */
export async function switchReaders(
  projection: string,
  wanted: number | undefined,
  ports: SwitchPorts,
  { despiteLag = false }: { readonly despiteLag?: boolean } = {},
): Promise<Switched> {
  const { records, served } = await versionsOf(projection, ports)
  const record = wanted === undefined ? records.at(-1) : records.find(({ version }) => version === wanted)
  if (!record)
    throw new TidemarkError('SWITCH_REFUSED', `version ${wanted} of ${projection} was never run`, {
      remedy: `Known: ${records.map(({ version }) => version).join(', ')}. Run it with \`tidemark run ${projection}.v${wanted}\` and let it catch up first.`,
    })
  const { version } = record
  if (version === served.version) return { before: version, after: version, lacking: [] }
  const readiness = await readinessOf(record, ports)
  refuseUnless(record, readiness, despiteLag)
  await serve({ projection, version, previous: served.version, undone: null, turn: served.turn + 1 }, ports)
  return { before: served.version, after: version, lacking: readiness.lacking }
}

/**
 * Lets readers see again what they saw before the last switch. What that version lacks by now is said and no reason to refuse: who
 * goes back has found something worse. Done again it changes nothing, so that a command that died is repeated.
 * Throws SWITCH_REFUSED where there is nothing to go back to, or its table is gone.
 */
export async function rollbackReaders(projection: string, ports: SwitchPorts): Promise<Switched> {
  const { records, served } = await versionsOf(projection, ports)
  const { version, previous, undone, turn } = served
  if (undone !== null) return { before: version, after: version, lacking: [] }
  const record = records.find((one) => one.version === previous)
  if (!record)
    throw new TidemarkError(
      'SWITCH_REFUSED',
      `readers of ${projection} see version ${version} and were never switched: there is nothing to go back to`,
      { remedy: `\`tidemark switch ${projection} VERSION\` names a version.` },
    )
  const readiness = await readinessOf(record, { ...ports, patienceMs: 0 })
  refuseUnless(record, readiness, true)
  await serve({ projection, version: record.version, previous: null, undone: version, turn: turn + 1 }, ports)
  return { before: version, after: record.version, lacking: readiness.lacking }
}

async function versionsOf(
  projection: string,
  { versions }: SwitchPorts,
): Promise<{ readonly records: readonly VersionRecord[]; readonly served: Served }> {
  const all = await versions.list()
  const served = await versions.served(projection)
  if (served) return { records: all.filter((record) => record.projection === projection), served }
  const names = [...new Set(all.map((record) => record.projection))]
  const meant = nearest(projection, names)
  throw new TidemarkError(
    'PROJECTION_UNKNOWN',
    `no version of ${JSON.stringify(projection)} was ever run${meant ? `: did you mean ${meant}?` : ''}`,
    { remedy: names.length > 0 ? `Known: ${names.join(', ')}.` : 'Start one with `tidemark run`.' },
  )
}

function refuseUnless({ projection, version }: VersionRecord, { unreadable, lacking }: Readiness, despiteLag: boolean) {
  const faults = [...unreadable, ...(despiteLag ? [] : lacking)]
  if (faults.length === 0) return
  const only = unreadable.length === 0 ? ', or say --despite-lag if readers may do without' : ''
  throw new TidemarkError(
    'SWITCH_REFUSED',
    `readers can't be given version ${version} of ${projection}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}\n`,
    { remedy: `Readers see what they saw before. Mend that and switch again${only}.` },
  )
}

/** Reads back what it wrote: of two who took the same turn one has lost. */
async function serve(served: Served, { versions }: SwitchPorts): Promise<void> {
  await versions.serve(served)
  const now = await versions.served(served.projection)
  if (now?.version === served.version) return
  throw new TidemarkError(
    'SWITCH_REFUSED',
    `somebody else switched ${served.projection} at the same time: readers see version ${now?.version}, not ${served.version}`,
    { remedy: 'Agree on one, then switch again.' },
  )
}
