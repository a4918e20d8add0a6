import { because, isKind } from '../../shared/errors.ts'

export type Server = 'Kafka' | 'Cassandra'

/** How long a server that has not answered yet is waited for, and how long one that has. */
const FIRST_MS = 5_000
const LATER_MS = 15_000

/**
 * Asks servers of which one may be away, so that the other's answers are still worth something. One that fails or is silent is
 * not asked again: the rest is known at once.
 */
export class Reach {
  readonly #away = new Map<Server, string>()
  readonly #answered = new Set<Server>()

  /** Undefined if the server is away. Rejects with what is no outage. */
  async ask<T>(server: Server, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#away.has(server)) return undefined
    const milliseconds = this.#answered.has(server) ? LATER_MS : FIRST_MS
    const { promise: silence, resolve } = Promise.withResolvers<{ readonly answer: T } | undefined>()
    const timer = setTimeout(() => resolve(undefined), milliseconds)
    try {
      const heard = await Promise.race([work().then((answer) => ({ answer })), silence])
      if (heard) this.#answered.add(server)
      else this.#missed(server, `no answer within ${milliseconds / 1000} s`)
      return heard?.answer
    } catch (error) {
      if (!isKind(error, 'transient')) throw error
      this.#missed(server, because(error))
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  /** Those that are away, and why that is said. */
  get away(): readonly { readonly server: Server; readonly reason: string }[] {
    return [...this.#away].map(([server, reason]) => ({ server, reason }))
  }

  #missed(server: Server, reason: string): void {
    if (!this.#away.has(server)) this.#away.set(server, reason)
  }
}
