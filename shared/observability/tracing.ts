import type { Context, Link, Tracer } from '@opentelemetry/api'
import type { Flushed, FoldedStep } from '../engine/ports.ts'
import { type Source, sourceText } from '../events/position.ts'
import type { Projection } from '../projection/projection.ts'

/** Spans of one projection: one CONSUMER span per folded batch with links to some of its producers, below it one per flush. */
export interface ProjectionTracer {
  folded(source: Source, step: Pick<FoldedStep, 'busy' | 'position' | 'outcomes' | 'traces'>): void
  flushed(source: Source, flush: Pick<Flushed, 'trigger' | 'rows' | 'seconds' | 'position'>): void
}

export interface Tracing {
  projection(projection: Pick<Projection, 'name' | 'version'>): ProjectionTracer
  /**
   * Runs `publish` inside a PRODUCER span that continues `traceparent`, and hands it the trace context the records shall carry.
   */
  publishing<T>(traceparent: string | undefined, publish: (traceparent: string | undefined) => Promise<T>): Promise<T>
  /** Sends what is left, if the collector takes it within 3 s. Never rejects. */
  stop(): Promise<void>
}

type Env = Readonly<Record<string, string | undefined>>

/** Is any exporter or endpoint of OpenTelemetry named? Without one nothing would receive the traces. */
export function tracingWanted(env: Env): boolean {
  const set = (name: string) => env[name] !== undefined && env[name] !== ''
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return false
  return [
    'OTEL_TRACES_EXPORTER',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_CONFIG_FILE',
  ].some(set)
}

/**
 * Starts OpenTelemetry as its own `OTEL_*` variables say; undefined if they name no exporter. The SDK is loaded only here, so that
 * a process that is not traced pays nothing. Kafka and Cassandra clients are not instrumented: two spans per event cost more
 * than the event.
 */
export async function startTracing(service: string, env: Env = process.env): Promise<Tracing | undefined> {
  if (!tracingWanted(env)) return undefined
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const sdk = new NodeSDK({
    ...(env.OTEL_SERVICE_NAME ? {} : { serviceName: service }),
    instrumentations: [],
    ...metricsAndLogsOff(env),
  })
  sdk.start()
  return { ...(await tracingWith()), stop: () => farewell(sdk.shutdown()) }
}

/** Milliseconds for the last spans: a collector that is away must neither hold up the end of a process nor make it a failure. */
const FAREWELL_MS = 3_000

async function farewell(sent: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, FAREWELL_MS)
  await Promise.race([sent.catch(() => undefined), late])
  clearTimeout(timer)
}

/** Only what is asked for by name: metrics are pulled from `/metrics`, logs are read from standard error. */
function metricsAndLogsOff(env: Env) {
  return {
    ...(env.OTEL_METRICS_EXPORTER ? {} : { metricReaders: [] }),
    ...(env.OTEL_LOGS_EXPORTER ? {} : { logRecordProcessors: [] }),
  }
}

/** Tracing on whatever provider is registered. */
export async function tracingWith(): Promise<Omit<Tracing, 'stop'>> {
  const api = await import('@opentelemetry/api')
  const tracer = api.trace.getTracer('tidemark')

  return {
    projection: (projection) => projectionTracer(projection),

    publishing(traceparent, publish) {
      const parent = remote(traceparent) ?? api.context.active()
      const span = tracer.startSpan(
        'publish events',
        { kind: api.SpanKind.PRODUCER, attributes: { 'messaging.system': 'kafka' } },
        parent,
      )
      const context = api.trace.setSpan(parent, span)
      return api.context
        .with(context, () => publish(textOf(context)))
        .catch((error) => {
          span.recordException(error)
          span.setStatus({ code: api.SpanStatusCode.ERROR })
          throw error
        })
        .finally(() => span.end())
    },
  }

  function projectionTracer({ name, version }: Pick<Projection, 'name' | 'version'>): ProjectionTracer {
    const batches = new Map<string, Context>()
    const common = { 'messaging.system': 'kafka', 'tidemark.projection': name, 'tidemark.version': version }
    const of = (source: Source, position: number) => ({
      ...common,
      'messaging.destination.name': source.topic,
      'messaging.destination.partition.id': String(source.partition),
      'messaging.kafka.offset': position,
    })
    return {
      folded(source, { busy, position, outcomes, traces }) {
        const links = traces.map(link).filter((one) => one !== undefined)
        const count = Object.values(outcomes).reduce((sum, some) => sum + some, 0)
        const startTime = Date.now() - busy * 1000
        const span = spans(
          tracer,
          `process ${source.topic}`,
          api.SpanKind.CONSUMER,
          startTime,
          { ...of(source, position), 'messaging.batch.message_count': count },
          links,
          api.ROOT_CONTEXT,
        )
        span.end()
        batches.set(sourceText(source), api.trace.setSpan(api.ROOT_CONTEXT, span))
      },
      flushed(source, { trigger, rows, seconds, position }) {
        const parent = batches.get(sourceText(source)) ?? api.ROOT_CONTEXT
        const attributes = { ...of(source, position), 'tidemark.flush.trigger': trigger, 'tidemark.flush.rows': rows }
        spans(tracer, 'flush', api.SpanKind.INTERNAL, Date.now() - seconds * 1000, attributes, [], parent).end()
      },
    }
  }

  function spans(
    on: Tracer,
    name: string,
    kind: number,
    startTime: number,
    attributes: Record<string, string | number>,
    links: Link[],
    parent: Context,
  ) {
    return on.startSpan(name, { kind, startTime, attributes, links }, parent)
  }

  /** Parsed here and not by the registered propagator: what travels in Kafka is W3C whatever the process prefers elsewhere. */
  function link(traceparent: string): Link | undefined {
    const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
    if (!traceId || !spanId || !flags) return undefined
    return { context: { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true } }
  }

  function remote(traceparent: string | undefined): Context | undefined {
    const found = traceparent === undefined ? undefined : link(traceparent)
    return found && api.trace.setSpanContext(api.ROOT_CONTEXT, found.context)
  }

  function textOf(context: Context): string | undefined {
    const span = api.trace.getSpanContext(context)
    if (!span || !api.isSpanContextValid(span)) return undefined
    return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
  }
}

/** W3C Trace Context, version 00; all-zero ids are not ids. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** The text if it is a trace context that may be passed on; anything else is dropped and never forwarded. */
export function validTraceparent(text: unknown): string | undefined {
  return typeof text === 'string' && TRACEPARENT.test(text) ? text : undefined
}
