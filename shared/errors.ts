/**
 * Every error that a person has to act on: what it is called, what usually causes it and what to do.
 * One catalogue, so that a code met in a log at night is found by one search.
 *
 * `kind` decides what happens to the event or process that met it (DESIGN §8):
 * `poison` this event can never succeed: it is set aside with its rows; `refused` the projector must not run like this;
 * `transient` the world failed: hold and retry; `usage` the caller's input is wrong.
 */
export const catalogue = {
  EVENT_EMPTY: {
    kind: 'poison',
    remedy: 'The producer sent a record without a value. Fix the producer, then skip this dead letter.',
  },
  EVENT_NOT_JSON: {
    kind: 'poison',
    remedy:
      'Fix the producer, or give the topic a `decode` function that reads its format; then retry or skip the dead letter.',
  },
  EVENT_NOT_CLOUDEVENT: {
    kind: 'poison',
    remedy: 'Send CloudEvents 1.0 (structured JSON, or `ce_` headers), or give the topic a `decode` function.',
  },
  EVENT_KEY_MISSING: {
    kind: 'poison',
    remedy:
      'Give the record a Kafka key, the entity (`subject`): without one its partition, hence its order, is chance.',
  },
  EVENT_SCHEMA_VIOLATION: {
    kind: 'poison',
    remedy:
      'Fix the producer or the schema in the topic definition (an old shape needs an upcaster), then retry or skip the dead letter.',
  },
  EVENT_DECODE_FAILED: {
    kind: 'poison',
    remedy: "Fix the topic's `decode` or `upcast` function, then retry the dead letter.",
  },
  KEY_INVALID: { kind: 'poison', remedy: "Fix the projection's `key` function, or skip the dead letter." },
  HANDLER_FAILED: {
    kind: 'poison',
    remedy: 'Fix the handler, deploy it under the same version, then retry the dead letter; or skip it.',
  },
  ROW_INVALID: {
    kind: 'poison',
    remedy:
      'The handler returned something that is not a row of the view. Fix the handler, then retry the dead letter.',
  },
  ROW_TOO_LARGE: {
    kind: 'poison',
    remedy: 'Keep less in one row: split it over a clustering key. Then rebuild, or skip the dead letter.',
  },
  ROW_TWO_SOURCES: {
    kind: 'poison',
    remedy:
      "Either the topic's partition count changed (rebuild the projection) or the row collects several keys (declare `merge`).",
  },
  WRITE_REFUSED: {
    kind: 'poison',
    remedy:
      'Cassandra refuses this row for good: see the cause. Fix the handler or the table, then retry the dead letter.',
  },

  PROJECTION_INVALID: { kind: 'refused', remedy: 'Correct every fault listed.' },
  PROJECTION_UNKNOWN: {
    kind: 'refused',
    remedy: 'Check the name, and that TIDEMARK_PROJECTIONS names the folder that exports it.',
  },
  PROJECTION_FILE_FAILED: { kind: 'refused', remedy: 'Correct the file: it could not be loaded.' },
  DEFINITION_CHANGED: {
    kind: 'refused',
    remedy: 'A changed view needs a new version: raise `version`, and the new table is filled beside the old one.',
  },
  PARTITIONS_CHANGED: {
    kind: 'refused',
    remedy:
      'Keys have moved between partitions, so rows would have two writers. Raise `version` to rebuild the view from the log.',
  },
  LOG_REPLACED: {
    kind: 'refused',
    remedy:
      'The topic was re-created or cut: this view belongs to another log. Raise `version` to build a view of the new one.',
  },
  VIEW_LOST: {
    kind: 'refused',
    remedy:
      'What was folded or set aside before is gone with the table that held it, and an empty one is no substitute. Raise `version` to build the view again from the log. (A table of a snapshot is the old one only if it is made by its schema.cql, under its own ID; then stop the workers and forget what was committed, `kafka-consumer-groups --delete --group NAME.vVERSION`, since a snapshot lacks what came after it.)',
  },
  GROUP_SHARED: {
    kind: 'refused',
    remedy:
      "Consumer groups are called after projection and version alone, so two installations on one Kafka would share them, and each view would lack the other's events. Give one of them a Kafka of its own, or its projections other names. Do not delete the group: it is the other's. (If it is this one's, its table was dropped and made again: raise `version`.)",
  },
  TABLE_MISSING: {
    kind: 'refused',
    remedy: 'Run `tidemark init`: it makes the table, or says why an empty one would not do.',
  },
  TABLE_MISMATCH: {
    kind: 'refused',
    remedy:
      'The table in Cassandra is not the one the projection declares. Raise `version`; only a table that no worker has filled yet may be dropped, for `tidemark init` to make it again.',
  },
  TOPIC_MISSING: {
    kind: 'refused',
    remedy: 'Run `tidemark init`, or create the topic with the partition count the projection declares.',
  },
  KAFKA_DENIED: {
    kind: 'refused',
    remedy:
      'Check the KAFKA_SASL_* and KAFKA_TLS* settings, and the ACLs: topics need Read (gateway: Write) and Describe, the group needs Read.',
  },
  KAFKA_TOO_OLD: { kind: 'refused', remedy: 'Use Kafka 2.3 or later.' },
  CODEC_MISSING: {
    kind: 'refused',
    remedy:
      'Install the package the message names (lz4-napi, snappy), or have producers compress with gzip, zstd or not at all, or set the compression.type of the topic to one of these.',
  },
  SWITCH_REFUSED: {
    kind: 'refused',
    remedy: 'Readers see what they saw before. Correct what is listed (`tidemark status` shows it), then switch again.',
  },
  VERSION_NOT_LOADED: {
    kind: 'refused',
    remedy:
      'Load the file of the version that readers are to see beside the newer one, or `tidemark switch` to a version that is loaded. A version can be asked for by name: `/views/NAME.v2/…`.',
  },
  LOG_UNREADABLE: {
    kind: 'refused',
    remedy:
      'The bytes in the log are damaged or of a format from before Kafka 0.11: see the cause. Nothing after that offset is applied until it can be read.',
  },

  CASSANDRA_UNAVAILABLE: {
    kind: 'transient',
    remedy: 'Check that the nodes are up and reachable: nothing is lost, the worker retries.',
  },
  CASSANDRA_SCHEMA: {
    kind: 'transient',
    remedy:
      'A table or a column in Cassandra is not what it was. Undo what was changed; the worker waits. `tidemark init` makes a table that is missing, or says why an empty one would not do.',
  },
  KAFKA_UNAVAILABLE: {
    kind: 'transient',
    remedy:
      'Check that the brokers are up and reachable (and TLS or SASL settings): nothing is lost, the worker retries.',
  },

  SPEC_FAILED: { kind: 'usage', remedy: 'Correct the handler, or the spec that expects something else.' },
  HANDLER_IMPURE: {
    kind: 'usage',
    remedy:
      'A fold may use its row and its event and nothing else: take times from `event.time`, ids from `event.id` or `event.data`, and return new values instead of changing given ones.',
  },
  MERGE_INCONSISTENT: {
    kind: 'usage',
    remedy:
      'Make `merge` commutative and associative, with `initial` as its neutral element: parts are merged in any order and any grouping.',
  },
  CONFIG_INVALID: { kind: 'usage', remedy: 'Correct every setting listed.' },
  USAGE: { kind: 'usage', remedy: 'See `tidemark --help`.' },

  REQUEST_INVALID: { kind: 'usage', remedy: 'Correct the request; /docs describes what is taken.' },
  EVENTS_REFUSED: {
    kind: 'usage',
    remedy: 'Nothing of the request was published. Correct every event listed and send all of it again.',
  },
  EVENT_TYPE_UNKNOWN: {
    kind: 'usage',
    remedy: 'Check the type; it must be an event of a topic that a loaded projection reads.',
  },
  EVENT_ID_REUSED: {
    kind: 'usage',
    remedy: 'Give every event an id of its own: source and id together name one event.',
  },
  GATEWAY_UNAVAILABLE: {
    kind: 'transient',
    remedy:
      'Check that `tidemark gateway` runs there and is ready (/readyz); sending the same events again makes none of them twice.',
  },
  EVENT_TOO_LARGE: {
    kind: 'usage',
    remedy:
      'Keep large things elsewhere and publish where they lie: Kafka takes records of 1 MB unless the topic says otherwise.',
  },
  BODY_TOO_LARGE: { kind: 'usage', remedy: 'Send fewer events at once.' },
  MEDIA_TYPE_UNKNOWN: {
    kind: 'usage',
    remedy: 'Send application/cloudevents+json, application/cloudevents-batch+json or application/json.',
  },
  OVERLOADED: { kind: 'transient', remedy: 'Send again after the seconds that Retry-After names.' },
  NOT_FOUND: { kind: 'usage', remedy: 'Check the address; /docs lists what there is.' },
  INTERNAL: { kind: 'transient', remedy: "See the process's log for the cause." },
} as const satisfies Record<string, { kind: ErrorKind; remedy: string }>

export type ErrorKind = 'poison' | 'refused' | 'transient' | 'usage'
export type ErrorCode = keyof typeof catalogue

/** An error somebody can act on: `code` finds it, the message says what happened to which thing, `remedy` what to do. */
export class TidemarkError extends Error {
  readonly code: ErrorCode
  readonly remedy: string

  /** `what` names the thing (projection, topic/partition/offset, row, variable) and what happened to it. */
  constructor(code: ErrorCode, what: string, options: { cause?: unknown; remedy?: string } = {}) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TidemarkError'
    this.code = code
    this.remedy = options.remedy ?? catalogue[code].remedy
  }

  get kind(): ErrorKind {
    return catalogue[this.code].kind
  }
}

export function isKind(error: unknown, kind: ErrorKind): error is TidemarkError {
  return error instanceof TidemarkError && error.kind === kind
}

/** What happened and why, without code and remedy: for places that show these beside it. */
export function because(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause =
    error.cause === undefined ? '' : ` (${error.cause instanceof Error ? error.cause.message : String(error.cause)})`
  return `${error.message}${cause}`
}

/** Several faults as one message: a line each, further lines of a fault indented below it. */
export function listed(what: string, faults: readonly string[]): string {
  return `${what}:\n${faults.map((fault) => `  - ${fault.replaceAll('\n', '\n    ')}`).join('\n')}\n`
}

/** One line for logs and terminals: code, what happened, cause, remedy. */
export function describe(error: unknown): string {
  if (!(error instanceof TidemarkError))
    return error instanceof Error ? `${error.name}: ${because(error)}` : String(error)
  const what = because(error)
  return `${error.code}: ${/[.:?!)\n]$/.test(what) ? what : `${what}.`} ${error.remedy}`
}
