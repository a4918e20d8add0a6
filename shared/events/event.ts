import type { Position } from './position.ts'

/** A fact, in the past tense: a CloudEvent that Kafka has given a place. `type` names it, `data` is what was said. */
export interface Event<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Data
  /** Given by the producer; two events with one id are two events (the gateway removes duplicates before they are published). */
  readonly id: string
  /** Who said it (CloudEvents `source`). */
  readonly source: string
  /** The entity it is about (CloudEvents `subject`), or the Kafka key where the producer named none (as base64 if it isn't text). */
  readonly subject: string
  /** When it happened according to its producer; the record's timestamp where the producer named no time. */
  readonly time: Date
  readonly position: Position
}

/** A record as Kafka keeps it, before anybody has looked inside. Key and value may be made when they are asked for: ask once. */
export interface LogRecord {
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: RecordHeaders
}

export type RecordHeaders = Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | null | undefined>>
