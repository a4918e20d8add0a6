import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ReadRow } from '../../shared/engine/ports.ts'
import { createServer, describedOnly, HttpFault } from '../../shared/http/index.ts'
import { nearest } from '../../shared/nearest.ts'
import type { Logger, Metrics, Verdict } from '../../shared/observability/index.ts'
import { versionName } from '../../shared/projection/projection.ts'
import { eventJson, eventsUntil, HISTORY, pastEvents, stateAfter } from './history.ts'
import { readKey } from './key.ts'
import { type Parameters, readParameters } from './parameters.ts'
import { historyRoute, viewRoute } from './schema.ts'
import type { ServedVersion } from './served.ts'
import {
  ageOf,
  answerOf,
  namesOf,
  type OpenView,
  opened,
  type Stale,
  staleness,
  type View,
  versionedNamesOf,
} from './view.ts'
import { createWaiting } from './waiting.ts'

export interface QueryParts {
  /** Every version that can be read. */
  readonly views: readonly View[]
  /** Which version readers see where they name none; where it knows of none, the oldest of `views`. */
  readonly served?: ServedVersion
  readonly log: Logger
  readonly metrics: Metrics
  readonly verdict: () => Verdict | Promise<Verdict>
}

/** The server for `GET /views/…` and `GET /entities/…`. It only reads, and only what projections have written. */
export async function buildQuery({ views, served, log, metrics, verdict }: QueryParts): Promise<FastifyInstance> {
  const all = views.map(opened).sort((a, b) => a.projection.version - b.projection.version)
  const waiting = createWaiting()
  const description = 'Reads the views that projections fill, and the history of entities.'
  const app = await createServer({ name: 'query', description, log, probes: { metrics, verdict }, bodyLimit: 1_024 })
  app.addHook('preClose', async () => waiting.stop())

  app.get('/views/:view/*', { ...describedOnly, schema: viewRoute(all) }, async (request, reply) => {
    const [name = '', ...segments] = path(request).slice(1)
    const view = await viewNamed(text(name))
    const { projection, fold } = view
    const wanted = readKey(projection.name, fold.shape, segments)
    const parameters = readParameters(
      request.query,
      wanted.kind === 'row' ? ['after', 'wait'] : ['limit', 'page', 'after', 'wait'],
    )
    const { after, limit, page } = parameters
    if (after && !projection.topics.some(({ name: topic }) => topic === after.topic)) {
      throw new HttpFault(
        400,
        'REQUEST_INVALID',
        `view ${projection.name} reads ${projection.topics.map(({ name: topic }) => topic).join(', ')}, not ${after.topic}: it will never hold after=${after.topic}/…`,
      )
    }

    if (wanted.kind === 'partition') {
      const { found, stale } = await current(
        request,
        view,
        parameters,
        () => view.reader.list(wanted.key, limit, page),
        ({ rows }) => rows,
      )
      const rows = found.rows.flatMap((row) => answerOf(fold, row) ?? [])
      return {
        rows,
        next: found.page ?? null,
        version: projection.version,
        ageSeconds: await ageOf(view, found.rows),
        ...stale,
      }
    }
    const { found, stale } = await current(
      request,
      view,
      parameters,
      () => view.reader.get(wanted.key),
      (row) => (row ? [row] : []),
    )
    const answer = found && answerOf(fold, found)
    if (!answer) {
      const shown = JSON.stringify(Object.values(wanted.key), (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      )
      return reply
        .code(404)
        .send(
          new HttpFault(404, 'NOT_FOUND', `view ${versionName(projection)} has no row ${shown}`, { details: stale })
            .body,
        )
    }
    return { ...answer, version: projection.version, ageSeconds: await ageOf(view, found ? [found] : []), ...stale }
  })

  app.get('/entities/:topic/:key/events', { ...describedOnly, schema: historyRoute() }, async (request) => {
    const [topic = '', entity = ''] = path(request).slice(1).map(text)
    const { at, limit, page } = readParameters(request.query, ['limit', 'page', 'at'])
    const history = await historyOf(topic)
    const unknown = () =>
      new HttpFault(404, 'NOT_FOUND', `the history has no event of ${topic} ${JSON.stringify(entity)}`)
    if (entity === '') throw unknown()
    if (at === undefined) {
      const found = await pastEvents(history, topic, entity, limit, page)
      if (found.events.length === 0 && page === undefined) throw unknown()
      return { events: found.events.map(eventJson), next: found.next }
    }
    const { events, known } = await eventsUntil(history, topic, entity, at)
    if (known === 0) throw unknown()
    return {
      at: at.toISOString(),
      events: events.map(eventJson),
      state: stateAfter(await servedViews(), topic, events),
    }
  })

  return app

  /** Reads, again and again while the view does not hold `after` and there is time. */
  async function current<T>(
    request: FastifyRequest,
    view: OpenView,
    { after, waitMs }: Parameters,
    read: () => Promise<T>,
    rows: (found: T) => readonly ReadRow[],
  ): Promise<{ found: T; stale: { stale?: Stale | false } }> {
    if (!after) return { found: await read(), stale: {} }
    const left = new AbortController()
    request.raw.once('close', () => left.abort())
    const once = async () => {
      const durable = await view.durable(after)
      const found = await read()
      return { found, stale: { stale: staleness(after, durable, rows(found)) } }
    }
    return waiting.until(once, ({ stale }) => stale.stale === false, waitMs, left.signal)
  }

  /**
   * Views by any of their names; without a version the one that readers are to see, and never another instead of it: that may be
   * half filled.
   */
  async function viewNamed(name: string): Promise<OpenView> {
    const found = all.filter((view) => namesOf(view).includes(name))
    const [oldest] = found
    if (!oldest) {
      const known = all.flatMap(namesOf)
      const meant = nearest(name, known)
      throw new HttpFault(
        404,
        'NOT_FOUND',
        `there is no view ${JSON.stringify(name)}${meant ? `: did you mean ${meant}?` : ''} Known: ${[...new Set(all.map(({ projection }) => projection.name))].join(', ')}`,
      )
    }
    if (versionedNamesOf(oldest).includes(name)) return oldest
    const { projection } = oldest
    const version = await served?.(projection.name)
    const view = version === undefined ? oldest : found.find((one) => one.projection.version === version)
    if (view) return view
    const loaded = found.map((one) => `version ${one.projection.version}`).join(', ')
    throw new HttpFault(
      503,
      'VERSION_NOT_LOADED',
      `readers of ${projection.name} are to see version ${version}, but this process has loaded ${loaded}`,
    )
  }

  /** What readers see of every projection; one whose version is not loaded is left out. */
  async function servedViews(): Promise<readonly OpenView[]> {
    const names = [...new Set(all.map(({ projection }) => projection.name))].sort()
    const views = await Promise.all(
      names.map((name) =>
        viewNamed(name).catch((error: unknown) => {
          if (error instanceof HttpFault && error.code === 'VERSION_NOT_LOADED') return []
          throw error
        }),
      ),
    )
    return views.flat()
  }

  async function historyOf(topic: string): Promise<OpenView> {
    const history = all.some(({ projection }) => projection.name === HISTORY) ? await viewNamed(HISTORY) : undefined
    if (history?.projection.topics.some(({ name }) => name === topic)) return history
    throw new HttpFault(
      404,
      'NOT_FOUND',
      `no history is kept of topic ${JSON.stringify(topic)}: projection ${HISTORY} ${history ? `reads ${history.projection.topics.map(({ name }) => name).join(', ')}` : 'is not loaded'}`,
    )
  }
}

/** The path's segments as they were sent: only so a `%2F` inside a key is told from a `/` between two. */
function path({ url }: FastifyRequest): string[] {
  return (url.split('?', 1)[0] ?? '').split('/').slice(1)
}

function text(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new HttpFault(400, 'REQUEST_INVALID', `${JSON.stringify(segment)} is not percent-encoded UTF-8`)
  }
}
