import type { ConnectionOptions } from 'node:tls'
import { auth, Client, errors, policies, types } from 'cassandra-driver'
import { TidemarkError } from '../errors.ts'
import { patchDriver } from './driver-patches.ts'
import { causeOf, classified } from './errors.ts'
import { NoClock, RetryOnceElsewhere } from './policies.ts'
import { Session, type SessionOptions } from './session.ts'

/** Where Cassandra is and how to enter. */
export interface CassandraSettings {
  /** `host` or `host:port` (default 9042). Give several: names are resolved again only when no node is left. */
  readonly contactPoints: readonly string[]
  readonly localDataCenter: string
  readonly keyspace: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** As Node's `tls.connect` takes it; certificates are checked unless `rejectUnauthorized` is false. */
  readonly tls?: ConnectionOptions | undefined
  /** Milliseconds until a request is given up; above Cassandra's own timeouts (2 s a write, 5 s a read), so that it answers first. */
  readonly requestTimeout?: number | undefined
}

export interface ConnectOptions extends SessionOptions {
  /** Milliseconds to go on trying while no node can be reached. Default 10 s; a worker passes Infinity. */
  readonly patience?: number
  readonly signal?: AbortSignal
  /** Told about each failed try. */
  readonly onRetry?: (error: TidemarkError, retryInMilliseconds: number) => void
}

/**
 * Connects, trying again with growing pauses (up to 10 s) while no node answers. The keyspace need not exist yet.
 * Throws CASSANDRA_UNAVAILABLE when patience ends, CONFIG_INVALID when the settings can't be right.
 */
export async function connect(settings: CassandraSettings, options: ConnectOptions = {}): Promise<Session> {
  const { patience = 10_000, signal, onRetry } = options
  patchDriver()
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(settings.keyspace)) {
    throw new TidemarkError(
      'CONFIG_INVALID',
      `CASSANDRA_KEYSPACE ${JSON.stringify(settings.keyspace)} must be at most 48 small letters, digits and _`,
    )
  }
  const deadline = performance.now() + patience
  for (let pause = 250; ; pause = Math.min(pause * 2, 10_000)) {
    signal?.throwIfAborted()
    // A client that failed to connect is not used again: it may keep half-made pools.
    const client = newClient(settings)
    try {
      await client.connect()
      return new Session(client, settings, options)
    } catch (error) {
      abandon(client)
      const failure = connecting(error, settings)
      if (failure.kind !== 'transient' || performance.now() + pause > deadline) throw failure
      onRetry?.(failure, pause)
      await delay(pause, signal)
    }
  }
}

function connecting(error: unknown, { contactPoints, localDataCenter }: CassandraSettings): TidemarkError {
  const about = `connecting to Cassandra at ${contactPoints.join(', ')}`
  const cause = causeOf(error)
  // The driver's word for a data centre that no node is in.
  if (cause instanceof errors.ArgumentError)
    return new TidemarkError('CONFIG_INVALID', `${about}: CASSANDRA_LOCAL_DATACENTER ${localDataCenter} does not fit`, {
      cause,
    })
  return classified(error, about)
}

/**
 * A client that could not connect has closed its pools, but neither the socket on which it learned why, which would keep the process
 * alive, nor its will to open another one when that is cut.
 */
function abandon(client: Client): void {
  const { controlConnection }: { controlConnection?: ControlConnection } = Object(client)
  controlConnection?.shutdown()
  controlConnection?.connection?.close()
}

interface ControlConnection {
  readonly connection?: { close(): void } | null
  shutdown(): void
}

async function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  signal?.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}

function newClient(settings: CassandraSettings): Client {
  const { contactPoints, localDataCenter, username, password, tls, requestTimeout = 6_000 } = settings
  return new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(username === undefined ? {} : { authProvider: new auth.PlainTextAuthProvider(username, password ?? '') }),
    // Left to itself the driver checks no certificate.
    ...(tls === undefined ? {} : { sslOptions: { rejectUnauthorized: true, ...tls } }),
    queryOptions: { consistency: types.consistencies.localQuorum, isIdempotent: true, prepare: true },
    encoding: { map: Map, set: Set, useBigIntAsLong: true },
    policies: {
      retry: new RetryOnceElsewhere(),
      timestampGeneration: new NoClock(),
      // Up to 10 minutes by default, which a worker whose node is back would wait for nothing.
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(500, 10_000, true),
    },
    pooling: { heartBeatInterval: 10_000 },
    socketOptions: { connectTimeout: 5_000, readTimeout: requestTimeout },
  })
}
