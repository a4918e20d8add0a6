import type { Config } from '../../shared/config.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { carts, inventory } from '../../shared/events/index.ts'
import { reachOnce, serve } from '../../shared/http/index.ts'
import { KafkaLog, KafkaPublisher } from '../../shared/kafka/index.ts'
import { createLogger, createMetrics, startTracing } from '../../shared/observability/index.ts'
import { kafkaLogger, kafkaSettings } from '../connections.ts'
import { loadProjections } from '../loader.ts'
import { buildGateway } from './server.ts'

const DEFAULT_PORT = 8080

/**
 * Runs the gateway until SIGTERM, SIGINT or the signal. It listens at once and is ready when every topic has been found. Throws if
 * it can't start: a port that is taken, a projection that can't be loaded, settings that can't be right.
 */
export async function runGateway(config: Config, signal?: AbortSignal): Promise<void> {
  const log = createLogger(config.log)
  const metrics = createMetrics()
  const projections = await loadProjections({ builtin: config.builtin, paths: config.projections })
  const shop = config.builtin ? [carts, inventory] : []
  const topics = [...shop, ...projections.all.flatMap((projection) => projection.topics)]
  const names = [...new Set(topics.map(({ name }) => name))].sort()

  const tracing = await startTracing('tidemark-gateway')
  const settings = kafkaSettings(config, 'tidemark-gateway')
  const publisher = new KafkaPublisher(settings, kafkaLogger(log))
  const kafka = new KafkaLog(settings, kafkaLogger(log))

  const ending = new AbortController()
  let fault: { readonly error: unknown } | undefined
  const reached = reachOnce(
    'Kafka',
    () => Promise.all(names.map(found)),
    ending.signal,
    (error) => {
      fault = { error }
      ending.abort()
    },
  )
  /** A topic that nobody has created yet keeps the others' events from nothing: it is said, and its own events are refused. */
  async function found(name: string): Promise<void> {
    try {
      await kafka.bounds(name)
    } catch (error) {
      if (!(error instanceof TidemarkError && error.code === 'TOPIC_MISSING')) throw error
      log.warn(
        { topic: name },
        `topic ${name} does not exist: its events are refused until \`tidemark init\` has created it`,
      )
    }
  }
  const port = config.http.port ?? DEFAULT_PORT
  const app = await buildGateway({ topics, publisher, log, metrics, verdict: reached.verdict, tracing })
  log.info({ port, topics: names }, `gateway: POST /events on port ${port}, described at /docs`)
  await serve(app, {
    port,
    log,
    draining: reached.draining,
    signal: signal ? AbortSignal.any([signal, ending.signal]) : ending.signal,
    async close() {
      ending.abort()
      await Promise.all([publisher.close(), kafka.close(), tracing?.stop()])
    },
  })
  if (fault) throw fault.error
}
