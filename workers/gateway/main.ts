import type { Config } from '../../shared/config.ts'
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
  const projections = await loadProjections({ builtin: true, paths: config.projections })
  const topics = [carts, inventory, ...projections.all.flatMap((projection) => projection.topics)]
  const names = [...new Set(topics.map(({ name }) => name))].sort()

  const tracing = await startTracing('tidemark-gateway')
  const settings = kafkaSettings(config, 'tidemark-gateway')
  const publisher = new KafkaPublisher(settings, kafkaLogger(log))
  const kafka = new KafkaLog(settings, kafkaLogger(log))

  const ending = new AbortController()
  let fault: { readonly error: unknown } | undefined
  const reached = reachOnce(
    'Kafka',
    () => Promise.all(names.map((name) => kafka.bounds(name))),
    ending.signal,
    (error) => {
      fault = { error }
      ending.abort()
    },
  )
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
