import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import { type Logger, listenFault } from '../observability/index.ts'

export interface ServeParts {
  readonly port: number
  readonly log: Logger
  /** Told at once when the process is to end, so that it can say it is not ready. */
  draining(reason: string): void
  /** Closes what the server used, after its last request. */
  close(): Promise<void>
  /** Ends the server as a signal would. */
  readonly signal?: AbortSignal
}

/** How long requests under way may take to end after SIGTERM. */
const DEADLINE_MS = 15_000

/**
 * Listens until SIGTERM, SIGINT or the signal, then: 1. says it is not ready, 2. takes no new connections, 3. lets requests under way
 * end, up to a deadline, 4. closes what they used. Throws CONFIG_INVALID if the port is taken.
 */
export async function serve(app: FastifyInstance, { port, log, draining, close, signal }: ServeParts): Promise<void> {
  try {
    await app.listen({ port, host: '::' }).catch((error) => {
      // A machine without IPv6.
      if (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL') return app.listen({ port, host: '0.0.0.0' })
      throw error
    })
  } catch (error) {
    await app.close()
    await close()
    throw listenFault(error, port)
  }
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>()
  const onSignal = (name: string) => ask(name)
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  if (signal?.aborted) ask('stopped')
  else if (signal) void once(signal, 'abort').then(() => ask('stopped'))
  const reason = await asked
  process.off('SIGTERM', onSignal).off('SIGINT', onSignal)

  draining(reason)
  log.info({ reason }, 'stopping: requests under way are ended, new ones refused')
  const deadline = setTimeout(() => {
    log.warn(
      'requests were still under way at the deadline: their clients see a closed connection and should try again',
    )
    app.server.closeAllConnections()
  }, DEADLINE_MS)
  await app.close()
  clearTimeout(deadline)
  await close()
}
