import type { Event, LogRecord } from './event.ts'
import type { Output, Schema } from './schema.ts'

export type Schemas = Readonly<Record<string, Schema>>

/** What a `decode` function makes of a record that is not a CloudEvent. */
export interface Decoded {
  readonly type: string
  readonly data: unknown
  readonly id?: string
  readonly source?: string
  readonly subject?: string
  readonly time?: Date
}

/** An event as its producer wrote it, before its data was checked. */
export interface OldEvent {
  readonly type: string
  readonly data: unknown
  readonly dataschema: string | undefined
}

/**
 * Turns an old shape into a newer one; keyed by the old event's type. Must be a pure function. One that keeps the type also
 * gets events of today's shape, and must leave them as they are.
 */
export type Upcaster = (old: OldEvent) => { readonly type: string; readonly data: unknown }

/** A topic and the events it carries. Every event of one entity shares a key, hence a partition, hence an order. */
export interface Topic<S extends Schemas = Schemas> {
  readonly name: string
  /** Used by `tidemark init` to create the topic; afterwards the topic must keep this count (a row has one source). */
  readonly partitions: number
  /** Event types with the schema of their `data`. */
  readonly events: S
  /**
   * Old types, or old shapes of a type, and what they are today. Applied again until the type stays or has no upcaster; what
   * comes out must be a type in `events`.
   */
  readonly upcast?: Readonly<Record<string, Upcaster>>
  /** Reads records that are not CloudEvents. `null` says: not an event, pass over it. Must be a pure function. */
  readonly decode?: (record: LogRecord) => Decoded | null
}

/** The union of the events a topic carries. */
export type EventOf<T extends Topic> =
  T extends Topic<infer S> ? { [Type in keyof S & string]: Event<Type, Output<S[Type]>> }[keyof S & string] : never

/**
 * Declares a topic. Nothing is checked or created here; a projection that uses the topic reports its faults, and
 * `tidemark init` creates it.
 */
export function defineTopic<const S extends Schemas>(topic: Topic<S>): Topic<S> {
  return topic
}

/** What is wrong with a topic, for people; empty if nothing is. */
export function topicFaults(topic: Topic): string[] {
  const faults: string[] = []
  const at = `topic ${typeof topic?.name === 'string' ? JSON.stringify(topic.name) : '(no name)'}`
  if (typeof topic?.name !== 'string' || !/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/.test(topic.name)) {
    faults.push(`${at}: name must be 1 to 249 of A-Z a-z 0-9 . _ - and not . or ..`)
  }
  if (!Number.isInteger(topic?.partitions) || topic.partitions < 1)
    faults.push(`${at}: partitions must be a whole number above 0, not ${said(topic?.partitions)}`)
  const types = Object.entries(topic?.events ?? {})
  if (types.length === 0) faults.push(`${at}: events names no event type`)
  for (const [type, schema] of types) {
    if (type === '') faults.push(`${at}: an event type has no name`)
    if (typeof schema?.['~standard']?.validate !== 'function')
      faults.push(`${at}: events.${type} is not a Standard Schema (zod, valibot, arktype …)`)
  }
  for (const [type, upcaster] of Object.entries(topic?.upcast ?? {})) {
    if (typeof upcaster !== 'function') faults.push(`${at}: upcast.${type} must be a function`)
  }
  if (topic?.decode !== undefined && typeof topic.decode !== 'function') faults.push(`${at}: decode must be a function`)
  return faults
}

/** Also of what has no text, such as an object without a prototype. */
function said(value: unknown): string {
  return typeof value === 'object' ? typeof value : String(value)
}
