import {
  CassandraProgress,
  CassandraVersions,
  CassandraViewReader,
  connect,
  type Session,
} from '../../shared/cassandra/index.ts'
import type { Config } from '../../shared/config.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { reachOnce, serve } from '../../shared/http/index.ts'
import { KafkaLog } from '../../shared/kafka/index.ts'
import { createLogger, createMetrics } from '../../shared/observability/index.ts'
import { type Projection, versionName } from '../../shared/projection/projection.ts'
import { cassandraSettings, kafkaLogger, kafkaSettings } from '../connections.ts'
import { loadProjections } from '../loader.ts'
import { durablePositions } from './durable.ts'
import { freshness } from './freshness.ts'
import { servedVersions } from './served.ts'
import { buildQuery } from './server.ts'
import type { View } from './view.ts'

const DEFAULT_PORT = 8081

/**
 * Runs the query server until SIGTERM, SIGINT or the signal. It listens at once and is ready when Cassandra has been reached. Kafka is
 * only asked how old the views are; without it ages are null. Throws if it can't start.
 */
export async function runQuery(config: Config, signal?: AbortSignal): Promise<void> {
  const log = createLogger(config.log)
  const metrics = createMetrics()
  const { all } = await loadProjections({ builtin: config.builtin, paths: config.projections })
  const kafka = new KafkaLog(kafkaSettings(config, 'tidemark-query'), kafkaLogger(log))

  const ending = new AbortController()
  let fault: { readonly error: unknown } | undefined
  let session: Session | undefined
  const connecting = async () => {
    const opened = await connect(cassandraSettings(config.cassandra), {
      patience: Number.POSITIVE_INFINITY,
      signal: ending.signal,
      maxRequests: config.cassandra.inFlight,
      onRequest: metrics.cassandraRequest,
      onRetry: (error) =>
        log.warn({ err: error }, "Cassandra can't be reached: requests are answered 503 until it can"),
    })
    if (ending.signal.aborted) return opened.close()
    session = opened
  }
  const reached = reachOnce('Cassandra', connecting, ending.signal, (error) => {
    fault = { error }
    ending.abort()
  })
  const connected = () => {
    if (session) return session
    throw new TidemarkError('CASSANDRA_UNAVAILABLE', 'Cassandra has not been reached yet')
  }

  const port = config.http.port ?? DEFAULT_PORT
  const app = await buildQuery({
    views: all.map((projection) => viewOf(projection, connected, kafka)),
    served: servedVersions({
      versions: { served: async (projection) => new CassandraVersions(connected()).served(projection) },
      now: Date.now,
      changed: (projection, version, before) =>
        log.info({ projection, version, before }, `readers of ${projection} now see version ${version}`),
    }),
    log,
    metrics,
    verdict: reached.verdict,
  })
  log.info(
    { port, views: all.map(({ name, version }) => `${name}.v${version}`) },
    `query: GET /views and /entities on port ${port}, described at /docs`,
  )
  await serve(app, {
    port,
    log,
    draining: reached.draining,
    signal: signal ? AbortSignal.any([signal, ending.signal]) : ending.signal,
    async close() {
      ending.abort()
      await Promise.all([session?.close(), kafka.close()])
    },
  })
  if (fault) throw fault.error
}

/** A view that can be asked before Cassandra has been reached: it answers CASSANDRA_UNAVAILABLE until then. */
function viewOf(projection: Projection, connected: () => Session, log: KafkaLog): View {
  let made: { readonly reader: CassandraViewReader; readonly progress: CassandraProgress } | undefined
  const stores = () => {
    made ??= {
      reader: new CassandraViewReader(connected(), projection),
      progress: new CassandraProgress(connected(), projection),
    }
    return made
  }
  const durable = durablePositions({
    progress: { load: async (source) => stores().progress.load(source) },
    log,
    group: versionName(projection),
    now: Date.now,
  })
  return {
    projection,
    reader: {
      get: async (key) => stores().reader.get(key),
      list: async (key, limit, page) => stores().reader.list(key, limit, page),
    },
    durable,
    freshness: freshness({ log, durable, now: Date.now }),
  }
}
