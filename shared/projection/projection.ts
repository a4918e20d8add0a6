import { createHash } from 'node:crypto'
import { TidemarkError } from '../errors.ts'
import type { Event } from '../events/event.ts'
import { type EventOf, type Topic, topicFaults } from '../events/topic.ts'
import type { AnyRow } from './row.ts'
import { type Key, type Row, type Table, tableFaults, tableShape, type Written } from './table.ts'
import { shown } from './values.ts'

type Topics = Topic | readonly Topic[]
type EventsOf<T extends Topics> = T extends readonly (infer One extends Topic)[]
  ? EventOf<One>
  : T extends Topic
    ? EventOf<T>
    : never

/** What an author writes: inert data and pure functions. No option is about batching, retries or consistency: those are the operator's. */
export interface Definition<Ts extends Topics, T extends Table> {
  /** Names the consumer group, the metrics and the chart's entry. Never rename: add a projection instead. */
  readonly name: string
  /** Raise it when the handlers' meaning or the table changes: a new version is a new table, filled from the beginning. */
  readonly version: number
  /** One topic, or several whose event types have different names. */
  readonly topic: Ts
  readonly view: T
  /** The rows an event belongs to: one key, several, or none (`[]`). */
  readonly key: (event: EventsOf<Ts>) => Key<T> | readonly Key<T>[]
  /** The row before its first event. */
  readonly initial: (key: Key<T>) => Written<T>
  /** What each event does to its row. `null` deletes the row; a type that is absent is not subscribed to. */
  readonly on: {
    readonly [Type in EventsOf<Ts>['type']]?: (
      row: Row<T>,
      event: Extract<EventsOf<Ts>, { type: Type }>,
    ) => Written<T> | null
  }
  /**
   * Needed when one row collects events of many keys (a product, seen from every cart): each source partition keeps its own
   * part of the row, and readers get the parts merged, so no row ever has two writers. Must be commutative and associative.
   */
  readonly merge?: (a: Row<T>, b: Row<T>) => Written<T>
}

/** A projection whose faults have been ruled out, as the rest of Tidemark handles it. */
export interface Projection<T extends Table = Table> {
  readonly name: string
  readonly version: number
  readonly topics: readonly Topic[]
  readonly view: T
  readonly key: (event: Event) => unknown
  readonly initial: (key: AnyRow) => unknown
  readonly on: Readonly<Record<string, (row: AnyRow, event: Event) => unknown>>
  readonly merge: ((a: AnyRow, b: AnyRow) => unknown) | undefined
}

/** Marks what `defineProjection` returns, so that a folder's other exports are told apart from it, across copies of this module. */
const MARK = Symbol.for('tidemark.projection')

/**
 * Declares a projection. Misspelt events, wrong column types and keys that are not columns are compile errors; what only
 * run time can tell is thrown here as one PROJECTION_INVALID that lists every fault.
 */
export function defineProjection<const Ts extends Topics, T extends Table>(
  definition: Definition<Ts, T>,
): Projection<T> {
  const faults = projectionFaults(definition as never)
  if (faults.length > 0)
    throw new TidemarkError(
      'PROJECTION_INVALID',
      `projection ${typeof definition?.name === 'string' ? definition.name : '(no name)'} has ${faults.length} fault(s):\n${faults.map((fault) => `  - ${fault}`).join('\n')}\n`,
    )
  const { name, version, topic, view, key, initial, on, merge } = definition
  const topics = [topic].flat() as readonly Topic[]
  return Object.defineProperty(
    { name, version, topics, view, key, initial, on: { ...on }, merge } as unknown as Projection<T>,
    MARK,
    { value: true },
  )
}

export function isProjection(value: unknown): value is Projection {
  return typeof value === 'object' && value !== null && MARK in value
}

/** `cart-summary.v1`: the consumer group, and the name of one version everywhere. */
export function versionName({ name, version }: Pick<Projection, 'name' | 'version'>): string {
  return `${name}.v${version}`
}

/** `cart_summary_v1`: the table of one version. */
export function tableName({ view, version }: Pick<Projection, 'view' | 'version'>): string {
  return `${view.name}_v${version}`
}

/**
 * Changes exactly when a view of the same version would mean something else in a way data can show: table and its name,
 * topics, subscription, merge. Handler code is not part of it, since a handler that threw is repaired under the same version.
 */
export function definitionFingerprint(projection: Projection): string {
  const shape = JSON.stringify([
    projection.view.name,
    tableShape(projection.view),
    projection.topics.map(({ name }) => name).sort(),
    Object.keys(projection.on).sort(),
    projection.merge !== undefined,
  ])
  return createHash('sha256').update(shape).digest('hex').slice(0, 32)
}

function projectionFaults(definition: Definition<Topic, Table>): string[] {
  if (typeof definition !== 'object' || definition === null) return ['defineProjection takes one object']
  const faults: string[] = []
  const { name, version, topic, view, key, initial, on, merge } = definition
  if (typeof name !== 'string' || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    faults.push(`name ${shown(name)} must be kebab-case, at most 40 letters, digits and -`)
  if (!Number.isInteger(version) || version < 1 || version > 99_999)
    faults.push(`version ${shown(version)} must be a whole number from 1 on`)
  const topics = [topic].flat().filter((one) => one !== undefined && one !== null)
  if (topics.length === 0) faults.push('topic is missing')
  for (const one of topics) faults.push(...topicFaults(one))
  if (new Set(topics.map((one) => one.name)).size < topics.length) faults.push('topic names the same topic twice')
  const types = topics.flatMap((one) => Object.keys(one.events ?? {}))
  for (const type of new Set(types.filter((one, index) => types.indexOf(one) !== index)))
    faults.push(`event type ${type} is in two topics: a handler could not tell which it gets`)
  faults.push(...tableFaults(view))
  if (typeof key !== 'function') faults.push('key must be a function')
  if (typeof initial !== 'function') faults.push('initial must be a function')
  for (const [what, author] of Object.entries({ key, initial, merge })) {
    if (isAsync(author)) faults.push(`${what} is async: it must be synchronous, since a fold may not wait for anything`)
  }
  if (merge !== undefined && typeof merge !== 'function') faults.push('merge must be a function')
  const handlers = Object.entries(on ?? {})
  if (handlers.length === 0) faults.push('on names no event type: the projection would do nothing')
  for (const [type, handler] of handlers) {
    if (!types.includes(type)) faults.push(`on.${type}: no such event; the topic carries ${types.join(', ') || 'none'}`)
    if (typeof handler !== 'function') faults.push(`on.${type} must be a function`)
    else if (isAsync(handler))
      faults.push(`on.${type} is async: handlers must be synchronous, since a fold may not wait for anything`)
  }
  return faults
}

function isAsync(author: unknown): boolean {
  return typeof author === 'function' && author.constructor.name === 'AsyncFunction'
}
