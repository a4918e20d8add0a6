import { refused as isRefused, type Session, type Statement } from './session.ts'

/** The statements of one row, which go together or not at all. */
export interface Mutation {
  /** Equal for equal Cassandra partitions of one table. */
  readonly partition: string
  /** The partition key's bytes as Cassandra hashes them. */
  readonly routingKey: () => Buffer
  readonly statements: () => readonly Statement[]
  /** How many there are. */
  readonly count: number
  /** About what Cassandra makes of it, never less: values and the cost of each cell. */
  readonly bytes: number
}

/** What a writer needs of the session. */
export type WritingSession = Pick<Session, 'write' | 'replicas' | 'replicatedEverywhere'>

export interface WriterOptions {
  /**
   * Rows of how many partitions may share a batch where they share their replicas; 1 for never. Saves the client two thirds
   * of its work a row where partitions have one row each. The server warns above 10.
   */
  readonly partitionsPerBatch?: number
}

/** Batches over several partitions stay below what the server warns about; the limit for those of one partition is ours. */
const SHARED_BYTES = 5 * 1024
const BATCH_BYTES = 32 * 1024
const BATCH_STATEMENTS = 100

interface Batch<M extends Mutation> {
  readonly mutations: M[]
  partitions: number
  statements: number
  bytes: number
}

/**
 * Writes rows in as few requests as is good for the server: those of one Cassandra partition together (one mutation there),
 * then what is left of partitions that share their replicas.
 */
export class Writer {
  readonly #session: WritingSession
  readonly #partitionsPerBatch: number

  constructor(session: WritingSession, { partitionsPerBatch = 10 }: WriterOptions = {}) {
    this.#session = session
    this.#partitionsPerBatch = partitionsPerBatch
  }

  /**
   * Resolves when all are durable, but for those named as refused. Rejects with a transient error once everything in flight
   * has ended. What still waits for the session's limiter when the error is known is not sent: at most as many requests again
   * as were in flight, and not all of a flush, go to a Cassandra that is overloaded.
   */
  async write<M extends Mutation>(
    mutations: readonly M[],
    about: string,
  ): Promise<readonly { readonly mutation: M; readonly cause: Error }[]> {
    const refused: { mutation: M; cause: Error }[] = []
    let failure: { readonly error: unknown } | undefined
    const send = async (batch: readonly M[]): Promise<void> => {
      try {
        // Encoded when its turn comes: of a large flush only what is in flight is in memory as bytes, too.
        await this.#session.write(() => (failure ? [] : statementsOf(batch)), about)
      } catch (error) {
        if (!isRefused(error)) failure ??= { error }
        else if (batch.length === 1) refused.push({ mutation: batch[0]!, cause: error })
        // One of them is to blame: alone, each speaks for itself, and the others get through.
        else await Promise.all(batch.map((mutation) => send([mutation])))
      }
    }
    await Promise.all(this.batches(mutations).map(({ mutations: batch }) => send(batch)))
    if (failure) throw failure.error
    return refused
  }

  /** How mutations are cut into requests; those of one partition keep their order. */
  batches<M extends Mutation>(mutations: readonly M[]): readonly Batch<M>[] {
    const full: Batch<M>[] = []
    const open = new Map<string, Batch<M>>()
    for (const mutation of mutations) {
      const batch = open.get(mutation.partition)
      if (batch && fits(batch, mutation.count, mutation.bytes, BATCH_BYTES)) add(batch, mutation)
      else {
        if (batch) full.push(batch)
        open.set(mutation.partition, {
          mutations: [mutation],
          partitions: 1,
          statements: mutation.count,
          bytes: mutation.bytes,
        })
      }
    }
    if (this.#partitionsPerBatch < 2 || open.size < 2) return [...full, ...open.values()]
    return [...full, ...this.#shared(open.values())]
  }

  /** Joins small batches of different partitions that live on the same nodes. */
  #shared<M extends Mutation>(batches: Iterable<Batch<M>>): readonly Batch<M>[] {
    const done: Batch<M>[] = []
    const open = new Map<string, Batch<M>>()
    const everywhere = this.#session.replicatedEverywhere
    for (const batch of batches) {
      const small = batch.bytes < SHARED_BYTES / 2
      const replicas = everywhere ? 'all' : small ? this.#session.replicas(batch.mutations[0]!.routingKey()) : ''
      if (!small || replicas === '') {
        done.push(batch)
        continue
      }
      const shared = open.get(replicas)
      if (
        shared &&
        shared.partitions < this.#partitionsPerBatch &&
        fits(shared, batch.statements, batch.bytes, SHARED_BYTES)
      ) {
        for (const mutation of batch.mutations) add(shared, mutation)
        shared.partitions += 1
      } else {
        if (shared) done.push(shared)
        open.set(replicas, batch)
      }
    }
    return [...done, ...open.values()]
  }
}

function fits(batch: Batch<Mutation>, statements: number, bytes: number, limit: number): boolean {
  return batch.bytes + bytes <= limit && batch.statements + statements <= BATCH_STATEMENTS
}

function add<M extends Mutation>(batch: Batch<M>, mutation: M): void {
  batch.mutations.push(mutation)
  batch.statements += mutation.count
  batch.bytes += mutation.bytes
}

function statementsOf(mutations: readonly Mutation[]): readonly Statement[] {
  const [first] = mutations
  return mutations.length === 1 && first ? first.statements() : mutations.flatMap(({ statements }) => statements())
}
