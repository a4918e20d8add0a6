import { type Client, types } from 'cassandra-driver'
import pLimit, { type LimitFunction } from 'p-limit'
import { TidemarkError } from '../errors.ts'
import type { Projection } from '../projection/projection.ts'
import { classified } from './errors.ts'

/** What a statement's `?` are bound to: bytes, a text or an int as they are, null (a tombstone) or unset. */
export type Bound = Buffer | string | number | null | typeof types.unset

/** A statement that says USING TIMESTAMP itself. */
export interface Statement {
  readonly query: string
  readonly params: Bound[]
}

/** Leaves a column as it is. */
export const unset = types.unset

export interface SessionOptions {
  /** Requests in flight, over everything this process does in Cassandra. Past 256–512 nothing is gained, past 2048 the driver refuses. */
  readonly maxRequests?: number
  /** Called after each request, failed ones included; `of` is the version it was for, where it was for one. */
  readonly onRequest?: OnRequest
}

type OnRequest = (seconds: number, kind: 'read' | 'write', of?: Pick<Projection, 'name' | 'version'>) => void

export interface Page {
  readonly fetchSize?: number
  readonly pageState?: string | undefined
}

/**
 * Given to writes as the default for a statement without USING TIMESTAMP: such a mistake then loses against every event,
 * where the server's clock would win over all of them.
 */
const OLDEST = types.Long.fromInt(1)
const WRITE = { prepare: true, timestamp: OLDEST } as const
const BATCH = { prepare: true, logged: false, timestamp: OLDEST } as const
const READ = { prepare: true, timestamp: OLDEST } as const
/** Schema changes wait for all nodes to agree. */
const DEFINE = { prepare: false, timestamp: OLDEST, readTimeout: 60_000 } as const

/**
 * The process's one connection to Cassandra: at LOCAL_QUORUM, bounded by one limiter for all the stores, each error
 * classified (see errors.ts). `about` says what is being done to which table, for the person who reads the error.
 */
export class Session {
  readonly keyspace: string
  readonly localDataCenter: string
  readonly #client: Client
  readonly #limit: LimitFunction
  readonly #onRequest: OnRequest | undefined

  /** Use `connect`. */
  constructor(
    client: Client,
    at: { readonly keyspace: string; readonly localDataCenter: string },
    { maxRequests = 256, onRequest }: SessionOptions = {},
    limit = pLimit(maxRequests),
  ) {
    this.keyspace = at.keyspace
    this.localDataCenter = at.localDataCenter
    this.#client = client
    this.#limit = limit
    this.#onRequest = onRequest
  }

  /** The same connection behind the same limiter, its requests told as those of a version. */
  of(version: Pick<Projection, 'name' | 'version'>): Session {
    const onRequest: OnRequest = (seconds, kind) => this.#onRequest?.(seconds, kind, version)
    return new Session(this.#client, this, { onRequest }, this.#limit)
  }

  /** `cart_summary_v1` with its keyspace, for use in statements: no request depends on the keyspace a connection is in. */
  table(name: string): string {
    return `${this.keyspace}.${name}`
  }

  read(query: string, params: readonly Bound[], about: string, page: Page = {}): Promise<types.ResultSet> {
    const { pageState } = page
    const options =
      page.fetchSize === undefined
        ? READ
        : { ...READ, fetchSize: page.fetchSize, ...(pageState === undefined ? {} : { pageState }) }
    return this.#limit(() => this.#timed('read', about, () => this.#client.execute(query, params, options)))
  }

  /**
   * One request: a statement alone, or several as an unlogged batch, which is routed by the first. A function is asked for them when
   * their turn comes, which in a long queue may be much later; if there are none, nothing is sent and all is well.
   */
  async write(given: readonly Statement[] | (() => readonly Statement[]), about: string): Promise<void> {
    await this.#limit(async () => {
      const statements = typeof given === 'function' ? given() : given
      const [first] = statements
      if (first === undefined) return
      await this.#timed('write', about, () =>
        statements.length === 1
          ? this.#client.execute(first.query, first.params, WRITE)
          : this.#client.batch([...statements], BATCH),
      )
    })
  }

  /** Changes the schema. Do it from one process at a time. */
  async define(cql: string, about: string): Promise<void> {
    await this.#timed('write', about, () => this.#client.execute(cql, [], DEFINE))
  }

  /** The local nodes that hold a partition, as text: the same for partitions that share their replicas, empty while the driver does not know. */
  replicas(routingKey: Buffer): string {
    return this.#replicas(routingKey).sort().join()
  }

  /** Nodes of the local data centre. */
  get localNodes(): number {
    return this.#client.hosts.values().filter(({ datacenter }) => datacenter === this.localDataCenter).length
  }

  /** Whether every local node holds every partition, as in small clusters: then asking for replicas tells nothing. */
  get replicatedEverywhere(): boolean {
    return this.localNodes > 0 && this.#replicas(Buffer.from([0])).length === this.localNodes
  }

  /** Resolves when all connections are closed; what is still in flight fails. */
  async close(): Promise<void> {
    await this.#client.shutdown()
  }

  #replicas(routingKey: Buffer): string[] {
    const hosts = this.#client.getReplicas(this.keyspace, routingKey) ?? []
    return hosts.filter(({ datacenter }) => datacenter === this.localDataCenter).map(({ address }) => address)
  }

  async #timed<T>(kind: 'read' | 'write', about: string, request: () => Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await request()
    } catch (error) {
      throw classified(error, about)
    } finally {
      this.#onRequest?.((performance.now() - start) / 1000, kind)
    }
  }
}

/** All pages of a read in turn, at most one in memory. `fetchSize`: rows of a page, asked before each where it is a function. */
export async function* pages(
  session: Session,
  query: string,
  params: readonly Bound[],
  about: string,
  fetchSize: number | (() => number),
  signal?: AbortSignal,
): AsyncIterable<readonly types.Row[]> {
  let pageState: string | undefined
  do {
    signal?.throwIfAborted()
    const rows = typeof fetchSize === 'number' ? fetchSize : fetchSize()
    const result: types.ResultSet = await session.read(query, params, about, { fetchSize: rows, pageState })
    pageState = result.pageState ?? undefined
    // A page may be empty although others follow.
    if (result.rows.length > 0) yield result.rows
  } while (pageState !== undefined)
}

/** The only row of a read. */
export async function one(
  session: Session,
  query: string,
  params: readonly Bound[],
  about: string,
): Promise<types.Row | undefined> {
  return (await session.read(query, params, about)).rows[0]
}

/** Whether Cassandra will never take what was written. */
export function refused(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError && error.code === 'WRITE_REFUSED'
}
