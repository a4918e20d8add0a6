import type { Topic } from '../../shared/events/index.ts'

/** How the API's description shows `POST /events`; checking is done by the topics' own schemas. */
export function eventsRoute(topics: readonly Topic[]) {
  const types = [...new Set(topics.flatMap((topic) => Object.keys(topic.events)))].sort()
  const event = {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'subject', 'data'],
    properties: {
      specversion: { type: 'string', enum: ['1.0'] },
      id: { type: 'string', description: 'With source it names the event: sent again, it is published once.' },
      source: { type: 'string', examples: ['/shop'] },
      type: { type: 'string', enum: types },
      subject: { type: 'string', description: 'The entity; becomes the Kafka key.' },
      time: { type: 'string', format: 'date-time' },
      data: { description: 'As the schema of the type in its topic says.' },
    },
    additionalProperties: true,
  }
  const batch = { type: 'array', items: event }
  const error = {
    type: 'object',
    properties: {
      error: {
        type: 'object',
        properties: {
          code: { type: 'string' },
          message: { type: 'string' },
          remedy: { type: 'string' },
          events: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                index: { type: 'integer' },
                id: { type: 'string' },
                code: { type: 'string' },
                message: { type: 'string' },
              },
            },
          },
        },
      },
    },
  }
  const failed = (description: string) => ({ description, ...error })
  return {
    summary: 'Publish events',
    description:
      'One CloudEvent, a list of them, or one in binary mode (attributes in `ce-` headers, data as the body). Of a request with a fault nothing is published.',
    body: {
      content: {
        'application/cloudevents+json': { schema: event },
        'application/cloudevents-batch+json': { schema: batch },
        'application/json': { schema: { anyOf: [event, batch] } },
      },
    },
    response: {
      202: {
        description: 'Durable in Kafka; the position of each event, in their order.',
        type: 'object',
        properties: { positions: { type: 'array', items: { type: 'string', examples: ['carts/3/1234'] } } },
      },
      400: failed('The body or an event is wrong: `events` names each with its index and fault.'),
      413: failed('The request is too large.'),
      415: failed('The media type is not one of those above.'),
      429: failed('Too much is being published at once: see Retry-After.'),
      503: failed('Kafka is not available: see Retry-After. Sending the same events again makes none of them twice.'),
    },
  }
}
