import { LIMIT, LONGEST_WAIT_MS } from './parameters.ts'
import type { View } from './view.ts'

const error = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: { code: { type: 'string' }, message: { type: 'string' }, remedy: { type: 'string' }, stale: {} },
    },
  },
}
const failed = (description: string) => ({ description, ...error })
const page = {
  limit: { type: 'integer', minimum: 1, maximum: LIMIT.most, default: LIMIT.default },
  page: { type: 'string', description: '`next` of the page before.' },
}
const common = {
  400: failed('A part of the address or a parameter is wrong.'),
  404: failed('There is no such view, row or entity.'),
  503: failed('Cassandra is not available: see Retry-After.'),
}

/** How the API's description shows the reading of views. */
export function viewRoute(views: readonly Pick<View, 'projection'>[]) {
  const keys = views.map(
    ({ projection: { name, view } }) =>
      `- \`${[name, ...[...view.partitionKey, ...Object.keys(view.clusteringKey)].map((column) => `{${column}}`)].join('/')}\``,
  )
  return {
    summary: 'Read a row, or the rows of a partition',
    description: `The key's parts are path segments, percent-encoded. With the partition key alone, where the view has more, its rows are listed.\n\n${[...new Set(keys)].sort().join('\n')}`,
    params: {
      type: 'object',
      properties: {
        view: { type: 'string', description: 'Projection or view; `.v2` names a version.' },
        '*': { type: 'string', description: 'The key.' },
      },
    },
    querystring: {
      type: 'object',
      properties: {
        after: {
          type: 'string',
          description: 'A position as the gateway answers it: `stale` says whether the view holds it.',
          examples: ['carts/3/1234'],
        },
        wait: {
          type: 'integer',
          minimum: 0,
          maximum: LONGEST_WAIT_MS,
          default: 0,
          description: 'Milliseconds to wait until the view holds `after`.',
        },
        ...page,
      },
    },
    response: {
      200: {
        description: 'The row, its position and its age.',
        type: 'object',
        properties: {
          row: { type: 'object', additionalProperties: true },
          position: { description: 'The event last folded into the row; a list of them where the view merges parts.' },
          rows: { type: 'array', items: { type: 'object', additionalProperties: true } },
          next: { type: ['string', 'null'] },
          version: { type: 'integer' },
          ageSeconds: {
            type: ['number', 'null'],
            description: 'Seconds since the oldest event not yet in the view was produced, at most; null: not known.',
          },
          stale: {
            description:
              'With `after`: false, or what was wanted, what the view holds, and how many offsets are between.',
          },
        },
      },
      ...common,
    },
  }
}

/** How the API's description shows the reading of histories. */
export function historyRoute() {
  return {
    summary: "Read an entity's events, and its state as of a moment",
    params: {
      type: 'object',
      properties: {
        topic: { type: 'string' },
        key: { type: 'string', description: 'The entity: subject of its events.' },
      },
    },
    querystring: {
      type: 'object',
      properties: {
        ...page,
        at: {
          type: 'string',
          format: 'date-time',
          description: 'Only events that had happened by then, all of them, and what views made of them.',
        },
      },
    },
    response: {
      200: {
        description: 'Events in the order of the log.',
        type: 'object',
        properties: {
          events: { type: 'array', items: { type: 'object', additionalProperties: true } },
          next: { type: ['string', 'null'] },
          at: { type: 'string' },
          state: { type: 'array', items: { type: 'object', additionalProperties: true } },
        },
      },
      422: failed('The entity has too many events to be folded for one request.'),
      ...common,
    },
  }
}
