import {
  CassandraDeadLetters,
  CassandraProgress,
  CassandraVersions,
  CassandraView,
  checkBookkeeping,
  checkTables,
  connect,
  type Session,
  viewTable,
} from '../../shared/cassandra/index.ts'
import type { Config } from '../../shared/config.ts'
import { defaultSettings, type Projector, persist, projector, systemClock } from '../../shared/engine/index.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { KafkaLog, KafkaSource } from '../../shared/kafka/index.ts'
import {
  createLogger,
  createMetrics,
  createObserver,
  createProgress,
  type Logger,
  type Metrics,
  type ProjectionObserver,
  startTracing,
  together,
} from '../../shared/observability/index.ts'
import { type Projection, tableName, versionName } from '../../shared/projection/projection.ts'
import { cassandraSettings, kafkaLogger, kafkaSettings } from '../connections.ts'
import { loadProjections } from '../loader.ts'
import { watchEnds } from './ends.ts'
import { serveProbes } from './http.ts'

const DEFAULT_PORT = 9464

/**
 * Runs the named projections until SIGTERM, SIGINT or the signal: then each drains, commits and leaves its group. Rejects with the
 * first fault; the others have drained by then, and the supervisor starts a fresh process.
 *
 * Probes answer from the first moment on, since a worker that waits for Kafka or Cassandra is alive and says what it waits for.
 */
export async function runProjectors(config: Config, names: readonly string[], signal?: AbortSignal): Promise<void> {
  const log = createLogger(config.log)
  const metrics = createMetrics()
  const projections = await chosen(config, names)
  const tracing = await startTracing('tidemark-projector')
  const watched = projections.map((projection) => {
    const progress = createProgress(versionName(projection))
    const tracer = tracing?.projection(projection)
    return { projection, progress, observer: createObserver({ projection, log, metrics, progress, tracer }) }
  })
  const verdict = () => together(watched.map(({ progress }) => progress.verdict()))
  const probes = await serveProbes(config.http.port ?? DEFAULT_PORT, { metrics, verdict })
  log.info(
    { port: probes.port, projections: projections.map(versionName) },
    `projector: /livez, /readyz and /metrics on port ${probes.port}`,
  )

  const ending = new AbortController()
  const stopSignal = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
  const told = (name: NodeJS.Signals) => ending.abort(name)
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, told)

  const kafka = new KafkaLog(kafkaSettings(config, 'tidemark-projector'), kafkaLogger(log))
  // Nothing is looked up in the log any more once the process is to end; waiting for a Kafka that is away would only delay that.
  stopSignal.addEventListener('abort', () => void kafka.close(), { once: true })
  let session: Session | undefined
  try {
    const held = (error: Error, seconds: number) => {
      for (const { observer } of watched) observer.held(undefined, error, seconds)
    }
    session = await connected(config, metrics, stopSignal, held)
    for (const { observer } of watched) observer.held(undefined, undefined, 0)
    if (!session) return
    const open = session
    watchEnds(watched, kafka, stopSignal)
    const running = watched.map(({ projection, observer }) =>
      start(projection, observer, { config, log, kafka, session: open, stopSignal }),
    )
    const results = await Promise.allSettled(
      running.map((one) =>
        one.run().catch((error) => {
          // One that can't go on takes its process with it: the supervisor restarts all, and a fault is never half hidden.
          ending.abort('a fault')
          throw error
        }),
      ),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  } finally {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.off(name, told)
    await Promise.all([kafka.close(), session?.close(), tracing?.stop()])
    await probes.close()
  }
}

async function chosen(config: Config, names: readonly string[]): Promise<readonly Projection[]> {
  const all = await loadProjections({ builtin: config.builtin, paths: config.projections })
  const projections = [...new Set(names.map((name) => all.get(name)))]
  if (projections.length > 0) return projections
  throw new TidemarkError(
    'USAGE',
    `tidemark run needs the names of projections: ${all.all.map(({ name }) => name).join(', ')}.`,
  )
}

/** Waits for Cassandra as long as it takes; undefined if the process was told to stop meanwhile. */
async function connected(
  config: Config,
  metrics: Metrics,
  signal: AbortSignal,
  held: (error: Error, seconds: number) => void,
): Promise<Session | undefined> {
  try {
    return await connect(cassandraSettings(config.cassandra), {
      patience: Number.POSITIVE_INFINITY,
      signal,
      maxRequests: config.cassandra.inFlight,
      onRequest: metrics.cassandraRequest,
      onRetry: (error, milliseconds) => held(error, milliseconds / 1000),
    })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

interface Surroundings {
  readonly config: Config
  readonly log: Logger
  readonly kafka: KafkaLog
  readonly session: Session
  readonly stopSignal: AbortSignal
}

/** One projection with its own group membership; what they share is the process's connection to Cassandra and its limit. */
function start(
  projection: Projection,
  observer: ProjectionObserver,
  { config, log, kafka, session, stopSignal }: Surroundings,
): Projector {
  const topics = projection.topics.map(({ name }) => name)
  const settings = { ...defaultSettings, ...config.engine }
  const versions = new CassandraVersions(session)
  /** What this table is to Cassandra: no other has it, but for one that was made of its snapshot's schema. */
  let tableId: string | undefined
  const made = projector(
    projection,
    {
      source: new KafkaSource(
        kafkaSettings(config, 'tidemark-projector'),
        versionName(projection),
        topics,
        kafkaLogger(log),
        () => tableId,
      ),
      log: kafka,
      view: new CassandraView(session, projection, {
        markerSeconds: config.cassandra.deletedTtlSeconds,
        maxRowBytes: settings.maxRowBytes,
      }),
      progress: new CassandraProgress(session, projection),
      deadLetters: new CassandraDeadLetters(session, projection),
      versions,
      observer,
      clock: systemClock,
    },
    settings,
  )
  const stop = () => void made.stop(String(stopSignal.reason ?? 'told to stop'))
  if (stopSignal.aborted) stop()
  else stopSignal.addEventListener('abort', stop, { once: true })

  return {
    stop: made.stop,
    async run() {
      try {
        await persist(
          async () => {
            await checkBookkeeping(session)
            await checkTables(session, [viewTable(projection)])
            tableId = (await versions.tables(projection))[tableName(projection)]
          },
          {
            clock: systemClock,
            backoffMs: settings.backoffMs,
            signal: stopSignal,
            held: (error, seconds) => observer.held(undefined, error, seconds),
          },
        ).catch((error) => {
          if (!stopSignal.aborted) throw error
        })
        if (!stopSignal.aborted) await made.run()
      } finally {
        stopSignal.removeEventListener('abort', stop)
      }
    },
  }
}
