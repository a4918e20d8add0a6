import { refused as isRefused, type Session, type Statement } from './session.ts'

/** The statements of one row, which go together or not at all. */
export interface Mutation {
  /** Equal for equal Cassandra partitions of one table. */
  readonly partition: string
  /** The partition key's bytes as Cassandra hashes them. */
  routingKey(): Buffer
  statements(): readonly Statement[]
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
  /** Has each row a partition of its own? */
  readonly rowPerPartition?: boolean
}

/** Batches over several partitions stay below what the server warns about; the limit for those of one partition is ours. */
const SHARED_BYTES = 5 * 1024
const BATCH_BYTES = 32 * 1024
const BATCH_STATEMENTS = 100
/** Requests of one call at a time: what else the process asks of Cassandra waits for these at most, not for a whole flush. */
const LANES = 64
/** Rows cut into requests at a time. */
const PIECE = 1_000

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
  readonly #rowPerPartition: boolean

  constructor(session: WritingSession, { partitionsPerBatch = 10, rowPerPartition = false }: WriterOptions = {}) {
    this.#session = session
    this.#partitionsPerBatch = partitionsPerBatch
    this.#rowPerPartition = rowPerPartition
  }

  /**
   * Resolves when all are durable, but for those named as refused. Rejects with a transient error once everything in flight
   * has ended. Of a flush only some requests are under way at a time, and none is sent once an error is known: a Cassandra that is
   * overloaded is left alone.
   */
  async write<M extends Mutation>(
    mutations: readonly M[],
    about: string,
  ): Promise<readonly { readonly mutation: M; readonly cause: Error }[]> {
    const refused: { mutation: M; cause: Error }[] = []
    let failure: { readonly error: unknown } | undefined
    const send = async (batch: readonly M[]): Promise<void> => {
      try {
        // Encoded when its turn comes: what has to wait does so as rows.
        await this.#session.write(() => (failure ? [] : statementsOf(batch)), about)
      } catch (error) {
        if (!isRefused(error)) failure ??= { error }
        else if (batch.length === 1) refused.push({ mutation: batch[0]!, cause: error })
        // One of them is to blame: alone, each speaks for itself, and the others get through.
        else await Promise.all(batch.map((mutation) => send([mutation])))
      }
    }
    const batches = this.#cut(mutations)
    const lane = async (): Promise<void> => {
      for (const { mutations: batch } of batches) {
        if (failure) return
        await send(batch)
      }
    }
    await Promise.all(Array.from({ length: Math.min(LANES, mutations.length) }, lane))
    if (failure) throw failure.error
    return refused
  }

  /** Where no two rows share a partition there is nothing to look for in the rest, and a piece at a time saves memory. */
  *#cut<M extends Mutation>(mutations: readonly M[]): Generator<Batch<M>, void> {
    const size = this.#rowPerPartition ? PIECE : mutations.length
    for (let from = 0; from < mutations.length; from += size) yield* this.batches(mutations.slice(from, from + size))
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
  return mutations.length === 1 && first ? first.statements() : mutations.flatMap((mutation) => mutation.statements())
}
