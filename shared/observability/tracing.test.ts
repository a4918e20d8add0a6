import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node'
import { expect, onTestFinished, test } from 'vitest'
import { startTracing, tracingWanted, tracingWith, validTraceparent } from './tracing.ts'

type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number]

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('nothing is traced unless an exporter or endpoint is named', async () => {
  expect(tracingWanted({})).toBe(false)
  expect(tracingWanted({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false)
  expect(tracingWanted({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' })).toBe(true)
  expect(tracingWanted({ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' })).toBe(
    false,
  )
  expect(tracingWanted({ OTEL_TRACES_EXPORTER: 'console', OTEL_SDK_DISABLED: 'true' })).toBe(false)
  expect(await startTracing('tidemark', {})).toBeUndefined()
})

test('only a W3C trace context is passed on', () => {
  expect(validTraceparent(PARENT)).toBe(PARENT)
  for (const wrong of [
    undefined,
    '',
    'x',
    `${PARENT}-x`,
    PARENT.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    7,
    [PARENT],
  ]) {
    expect(validTraceparent(wrong)).toBeUndefined()
  }
})

test('a batch is one CONSUMER span with links to its producers, and its flush a span below it', async () => {
  const { SpanKind } = await import('@opentelemetry/api')
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const done = Promise.resolve()
  const spans: Parameters<SpanProcessor['onEnd']>[0][] = []
  const collector: SpanProcessor = {
    onStart() {},
    onEnd: (span) => void spans.push(span),
    forceFlush: () => done,
    shutdown: () => done,
  }
  const sdk = new NodeSDK({
    spanProcessors: [collector],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  })
  sdk.start()
  onTestFinished(() => sdk.shutdown())
  const tracing = await tracingWith()
  const tracer = tracing.projection({ name: 'cart-summary', version: 1 })
  const source = { topic: 'carts', partition: 3 }
  tracer.folded(source, {
    busy: 0.2,
    position: 9,
    outcomes: { applied: 3, ignored: 1, duplicate: 0, dead: 0, parked: 0 },
    traces: [PARENT, 'rubbish'],
  })
  tracer.flushed(source, { trigger: 'latency', rows: 2, seconds: 0.1, position: 9 })
  const [batch, flush] = spans
  expect(batch).toMatchObject({
    name: 'process carts',
    kind: SpanKind.CONSUMER,
    attributes: { 'messaging.batch.message_count': 4 },
  })
  expect(batch?.links.map(({ context }) => context.spanId)).toEqual(['b7ad6b7169203331'])
  expect(flush?.parentSpanContext?.spanId).toBe(batch?.spanContext().spanId)

  const handed = await tracing.publishing(PARENT, async (traceparent) => traceparent)
  const publish = spans[2]
  expect(publish).toMatchObject({ kind: SpanKind.PRODUCER, parentSpanContext: { spanId: 'b7ad6b7169203331' } })
  expect(handed).toBe(`00-0af7651916cd43dd8448eb211c80319c-${publish?.spanContext().spanId}-01`)
})
