import { TidemarkError } from '../errors.ts'
import { encodeStructured } from '../events/encode.ts'
import type { LogRecord } from '../events/event.ts'
import type { Input } from '../events/schema.ts'
import type { Schemas, Topic } from '../events/topic.ts'

/** What a producer has sent, before Kafka has given it a place. */
export interface Produced {
  readonly topic: string
  /** The record; `id` is for events that need one, and counts up within a spec: `event-1`, `event-2`. */
  readonly record: (id: string) => Omit<LogRecord, 'offset'>
}

/** When events of a spec happen if it doesn't say. */
const NOON = '2026-01-01T12:00:00.000Z'

/**
 * An event of a topic about one entity, as a CloudEvent: `event(carts, 'OrderPlaced', 'c1', { … })`. It takes the way of
 * every event, through JSON and the topic's schema. Throws USAGE for a topic that reads another format: see `record`.
 */
export function event<S extends Schemas, Type extends keyof S & string>(
  topic: Topic<S>,
  type: Type,
  subject: string,
  data: Input<S[Type]>,
  time: Date | string = NOON,
): Produced {
  if (topic.decode) {
    throw new TidemarkError(
      'USAGE',
      `topic ${topic.name} has its own decode function, so ${type} can't be made as a CloudEvent`,
      {
        remedy: 'Make its records with `record(topic, key, value)`.',
      },
    )
  }
  const at = new Date(time)
  return {
    topic: topic.name,
    record: (id) => {
      const { key, value, headers } = encodeStructured({
        specversion: '1.0',
        id,
        source: 'spec',
        type,
        subject,
        time: at.toISOString(),
        data,
      })
      return {
        timestamp: at.getTime(),
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers,
      }
    },
  }
}

/** A record as it is: for topics with a `decode` function, and for what old or careless producers send. */
export function record(
  topic: Pick<Topic, 'name'>,
  key: string | Buffer | null,
  value: string | Buffer | null,
  { headers = {}, time = NOON }: { headers?: LogRecord['headers']; time?: Date | string } = {},
): Produced {
  const bytes = (given: string | Buffer | null) => (given === null ? null : Buffer.from(given))
  return {
    topic: topic.name,
    record: () => ({ timestamp: new Date(time).getTime(), key: bytes(key), value: bytes(value), headers }),
  }
}
