import type { FastifyInstance } from 'fastify'
import type { Publisher } from '../../shared/engine/ports.ts'
import { type Position, positionText, type Topic } from '../../shared/events/index.ts'
import { createServer, describedOnly, HttpFault } from '../../shared/http/index.ts'
import {
  type Logger,
  type Metrics,
  type Tracing,
  type Verdict,
  validTraceparent,
} from '../../shared/observability/index.ts'
import { type Admitted, admission, type EventFault } from '../admission.ts'
import { mediaTypes, readEvents } from './request.ts'
import { eventsRoute } from './schema.ts'
import { Window } from './window.ts'

export interface GatewayParts {
  /** What may be published: the topics of all projections, and more. */
  readonly topics: readonly Topic[]
  readonly publisher: Pick<Publisher, 'publish'>
  readonly log: Logger
  readonly metrics: Metrics
  readonly verdict: () => Verdict | Promise<Verdict>
  readonly tracing?: Pick<Tracing, 'publishing'> | undefined
  /** Bytes of one request. */
  readonly bodyLimit?: number
  /** Bytes of all requests under way: above it clients are told to wait, instead of all of them waiting in memory. */
  readonly inFlightBytes?: number
  /** Events remembered against being published twice. */
  readonly windowSize?: number
}

const MIB = 1024 * 1024

/**
 * The server for `POST /events`. A request's events are published all or not at all as far as their validity goes: one fault and none
 * is. Answered when all are durable. If Kafka fails half-way, sending the same request again completes it.
 */
export async function buildGateway(parts: GatewayParts): Promise<FastifyInstance> {
  const {
    topics,
    publisher,
    log,
    metrics,
    verdict,
    tracing,
    bodyLimit = MIB,
    inFlightBytes = 64 * MIB,
    windowSize = 100_000,
  } = parts
  const admit = admission(topics)
  const window = new Window(windowSize)
  let inFlight = 0
  const description =
    'Takes CloudEvents 1.0, checks them against the schemas of their topics, and publishes them to Kafka.'
  const app = await createServer({ name: 'gateway', description, log, probes: { metrics, verdict }, bodyLimit })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser([...mediaTypes], { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.post('/events', { ...describedOnly, schema: eventsRoute(topics) }, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const mediaType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
    if (mediaType === '' && body.length === 0)
      throw new HttpFault(415, 'MEDIA_TYPE_UNKNOWN', 'the request has no Content-Type')
    if (inFlight + body.length > inFlightBytes)
      throw new HttpFault(429, 'OVERLOADED', 'more is being published than the gateway holds at once', {
        retryAfter: 1,
      })
    inFlight += body.length
    try {
      const admitted = admittedAll(readEvents(mediaType, request.headers, body).map(admit))
      const positions = await publishAll(admitted, validTraceparent(request.headers.traceparent))
      return reply.code(202).send({ positions: positions.map(positionText) })
    } finally {
      inFlight -= body.length
    }
  })

  return app

  function admittedAll(decisions: readonly (Admitted | EventFault)[]): readonly Admitted[] {
    const digests = new Map<string, string>()
    const faults: EventFault[] = []
    const admitted: Admitted[] = []
    for (const [index, decision] of decisions.entries()) {
      if (!('record' in decision)) {
        faults.push(decision)
        continue
      }
      const { identity, digest } = decision
      const before = digests.get(identity) ?? window.get(identity)?.digest ?? digest
      if (before !== digest)
        faults.push({
          index,
          id: identity.split('\n')[1],
          code: 'EVENT_ID_REUSED',
          message: 'another event was sent with this source and id',
        })
      digests.set(identity, digest)
      admitted.push(decision)
    }
    if (faults.length === 0) return admitted
    throw new HttpFault(400, 'EVENTS_REFUSED', `${faults.length} of ${decisions.length} event(s) can't be published`, {
      details: { events: faults },
    })
  }

  /** An event sent before, or twice in one request, is not published again: its position is that of the first time. */
  async function publishAll(
    events: readonly Admitted[],
    traceparent: string | undefined,
  ): Promise<readonly Position[]> {
    const positions = new Map<string, Promise<Position>>()
    const fresh = new Map<string, Map<string, Admitted>>()
    for (const event of events) {
      const before = window.get(event.identity)
      if (before) positions.set(event.identity, before.position)
      else fresh.set(event.topic, (fresh.get(event.topic) ?? new Map<string, Admitted>()).set(event.identity, event))
    }
    for (const [topic, byIdentity] of fresh) {
      const some = [...byIdentity.values()]
      const published = tracing
        ? tracing.publishing(traceparent, (own) => publish(topic, some, own ?? traceparent))
        : publish(topic, some, traceparent)
      for (const [index, { identity, digest }] of some.entries()) {
        const position = published.then((all) => positionAt(all, index, topic))
        positions.set(identity, position)
        window.add(identity, digest, position)
      }
    }
    // All are waited for, so that nothing is under way any more when the client is told that something failed.
    await Promise.allSettled(positions.values())
    return Promise.all(events.map(({ identity }) => positions.get(identity))).then((all) =>
      all.filter((one) => one !== undefined),
    )
  }

  function publish(
    topic: string,
    events: readonly Admitted[],
    traceparent: string | undefined,
  ): Promise<readonly Position[]> {
    const records = events.map(({ record }) =>
      traceparent ? { ...record, headers: { ...record.headers, traceparent } } : record,
    )
    return publisher.publish(topic, records)
  }
}

function positionAt(positions: readonly Position[], index: number, topic: string): Position {
  const position = positions[index]
  if (!position) throw new Error(`publishing to ${topic} gave no position for record ${index}`)
  return position
}
