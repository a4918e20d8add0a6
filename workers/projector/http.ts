import { once } from 'node:events'
import { createServer } from 'node:http'
import { listenFault, type Probes, probeAnswer } from '../../shared/observability/probes.ts'

export interface ProbeServer {
  /** The port listened on, also where 0 was asked for. */
  readonly port: number
  /** Stops listening; resolves when the port is free. */
  close(): Promise<void>
}

/** Serves `/livez`, `/readyz` and `/metrics`. Throws CONFIG_INVALID if the port is taken. */
export async function serveProbes(port: number, probes: Probes): Promise<ProbeServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const readable = request.method === 'GET' || request.method === 'HEAD'
    const answer = readable ? probeAnswer(path, probes) : Promise.resolve(undefined)
    answer.then(
      (found) => {
        const { status, contentType, body } = found ?? {
          status: readable ? 404 : 405,
          contentType: 'text/plain; charset=utf-8',
          body: 'GET /livez, /readyz or /metrics\n',
        }
        response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
        response.end(request.method === 'HEAD' ? undefined : body)
      },
      (error) => {
        response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
        response.end(`${error}\n`)
      },
    )
  })
  try {
    server.listen(port)
    await once(server, 'listening')
  } catch (error) {
    throw listenFault(error, port)
  }
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
