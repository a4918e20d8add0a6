import { TidemarkError } from '../errors.ts'
import type { Metrics } from './metrics.ts'
import type { Verdict } from './progress.ts'

/** What a process tells those who watch it. */
export interface Probes {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>
  readonly verdict: () => Verdict | Promise<Verdict>
}

export interface ProbeAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** The paths every process answers. */
export const probePaths = ['/livez', '/readyz', '/metrics'] as const

/**
 * `/livez` answers as long as the process can answer at all, whatever Kafka and Cassandra do; `/readyz` is 503 with the reasons
 * while the process can't be counted on. Undefined for other paths.
 */
export async function probeAnswer(path: string, { metrics, verdict }: Probes): Promise<ProbeAnswer | undefined> {
  switch (path) {
    case '/livez':
      return json(200, { alive: true })
    case '/readyz': {
      const found = await verdict()
      return json(found.ready ? 200 : 503, found)
    }
    case '/metrics':
      return { status: 200, contentType: metrics.contentType, body: await metrics.text() }
    default:
      return undefined
  }
}

function json(status: number, body: unknown): ProbeAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(body) }
}

/** Why a server could not listen, as the operator can act on it; what is no such fault stays what it is. */
export function listenFault(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new TidemarkError('CONFIG_INVALID', `TIDEMARK_HTTP_PORT: port ${port} is taken by another process`, {
      remedy: 'Stop that process, or set TIDEMARK_HTTP_PORT to another port for this one.',
    })
  }
  if (code === 'EACCES') {
    return new TidemarkError('CONFIG_INVALID', `TIDEMARK_HTTP_PORT: this user may not listen on port ${port}`, {
      remedy: 'Set TIDEMARK_HTTP_PORT to a port above 1023.',
    })
  }
  return error
}
