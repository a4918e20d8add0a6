import type { Source } from '../events/position.ts'
import type { Projection } from '../projection/projection.ts'
import { encodeInt, encodeText } from './cells.ts'
import { checkTables, createTables, type TableDefinition } from './schema.ts'
import type { Bound, Session } from './session.ts'

/** One version of one projection, as everything kept about it is keyed. */
export type Version = Pick<Projection, 'name' | 'version'>

const version = [
  { name: 'projection', type: 'text' },
  { name: 'version', type: 'int' },
]
const source = [
  { name: 'topic', type: 'text' },
  { name: 'partition', type: 'int' },
]
const offset = { name: 'offset', type: 'bigint', order: 'asc' } as const
const record = [
  { name: 'key', type: 'blob' },
  { name: 'value', type: 'blob' },
  { name: 'headers', type: 'text' },
  { name: 'timestamp', type: 'bigint' },
]

/**
 * The tables beside the views. Nothing in them is stamped by a clock:
 *
 * | table | written at |
 * |---|---|
 * | `tm_versions` | `stamp(0, write)`, with the ids of the tables `stamp(0, release)`, one cell: of two different records one wins as a whole |
 * | `tm_served` | `stamp(turn, write)`, one cell: the later turn wins; of two records of one turn one wins as a whole |
 * | `tm_progress` | `stamp(position, write)`; at one position the longer list of gaps has the larger bytes and wins |
 * | `tm_dead_letters` | recorded at `stamp(offset, park)`, `state` changed at `stamp(at, release)` |
 * | `tm_parked_scopes` | `stamp(since, park)`; up to `at` deleted at `stamp(at, release)` |
 * | `tm_parked_events` | `stamp(offset, park)`; up to `at` deleted at `stamp(at, release)` |
 * | `tm_requests` | asked at `stamp(0, write)`, answered at `stamp(0, release)`, gone after 7 days |
 */
export const bookkeeping = {
  versions: {
    name: 'tm_versions',
    partitionKey: [version[0]!],
    clusteringKey: [{ ...version[1]!, order: 'asc' }],
    values: [{ name: 'record', type: 'text' }],
  },
  served: {
    name: 'tm_served',
    partitionKey: [version[0]!],
    clusteringKey: [],
    values: [{ name: 'record', type: 'text' }],
  },
  progress: {
    name: 'tm_progress',
    partitionKey: version,
    clusteringKey: source.map((column) => ({ ...column, order: 'asc' })),
    values: [
      { name: 'position', type: 'bigint' },
      { name: 'fingerprint', type: 'text' },
      { name: 'gaps', type: 'frozen<list<bigint>>' },
    ],
  },
  deadLetters: {
    name: 'tm_dead_letters',
    partitionKey: [...version, ...source],
    clusteringKey: [offset, { name: 'scope', type: 'text', order: 'asc' }],
    values: [
      ...record,
      { name: 'code', type: 'text' },
      { name: 'reason', type: 'text' },
      { name: 'state', type: 'text' },
    ],
  },
  parkedScopes: {
    name: 'tm_parked_scopes',
    partitionKey: [...version, ...source],
    clusteringKey: [
      { name: 'scope', type: 'text', order: 'asc' },
      { name: 'since', type: 'bigint', order: 'asc' },
    ],
    values: [],
  },
  parkedEvents: {
    name: 'tm_parked_events',
    partitionKey: [...version, ...source, { name: 'scope', type: 'text' }],
    clusteringKey: [offset],
    values: record,
  },
  requests: {
    name: 'tm_requests',
    partitionKey: [...version, ...source],
    clusteringKey: [{ name: 'id', type: 'text', order: 'asc' }],
    values: [
      { name: 'action', type: 'text' },
      { name: 'scope', type: 'text' },
      { name: 'offset', type: 'bigint' },
      { name: 'outcome', type: 'text' },
    ],
  },
} as const satisfies Record<string, TableDefinition>

/** What is in these is nowhere else: their events are committed, and not in the view. */
export const setAsideTables: readonly TableDefinition[] = [
  bookkeeping.deadLetters,
  bookkeeping.parkedScopes,
  bookkeeping.parkedEvents,
]

/** Creates the tables beside the views. Safe to run again. */
export async function createBookkeeping(session: Session): Promise<void> {
  await createTables(session, Object.values(bookkeeping))
}

/** Throws TABLE_MISSING or TABLE_MISMATCH. */
export async function checkBookkeeping(session: Session): Promise<void> {
  await checkTables(session, Object.values(bookkeeping))
}

/** `projection = ? AND version = ?` … bound by `versionParams`; and the same with the source. */
export const WHERE_VERSION = 'projection = ? AND version = ?'
export const WHERE_SOURCE = `${WHERE_VERSION} AND topic = ? AND partition = ?`

export function versionParams({ name, version: number }: Version): Bound[] {
  return [encodeText(name), encodeInt(number)]
}

export function sourceParams(of: Version, { topic, partition }: Source): Bound[] {
  return [...versionParams(of), encodeText(topic), encodeInt(partition)]
}
