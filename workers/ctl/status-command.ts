import { describe, TidemarkError } from '../../shared/errors.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import type { Server } from './reach.ts'
import { type Sightings, type StatusPorts, statusOf } from './status.ts'
import { statusLines } from './status-report.ts'
import type { Output } from './terminal.ts'

export interface StatusOptions {
  readonly json?: boolean
  /** Only the projections given, not others that were ever run. */
  readonly only?: boolean
  /** Draws it again every two seconds until `signal` is aborted. */
  readonly watch?: boolean
  readonly signal?: AbortSignal
}

const REDRAW_MS = 2_000
const CLEAR = '\u001b[H\u001b[2J\u001b[3J'

/**
 * `tidemark status [--watch] [--json]`. With `watch` and `json`: one array a line. Returns the exit code: 1 if a server is away,
 * which is said on `errors`; else 0, since status judges nobody.
 */
export async function statusCommand(
  projections: readonly Projection[],
  ports: StatusPorts,
  { json, only, watch, signal }: StatusOptions,
  output: Output,
  errors: Output,
): Promise<number> {
  const sightings: Sightings = new Map()
  let code = 0
  do {
    const startedAt = ports.clock.now()
    const { versions, away } = await statusOf(projections, ports, { ...(only && { only }), sightings })
    if (signal?.aborted) break
    if (json) output.write(`${JSON.stringify(versions, null, watch ? undefined : 2)}\n`)
    else {
      const clear = watch && output.isTTY ? CLEAR : ''
      output.write(`${clear}${statusLines(versions, output).join('\n')}\n${watch && !output.isTTY ? '\n' : ''}`)
    }
    for (const { server, reason } of away) errors.write(`tidemark: ${awayText(server, reason)}\n`)
    code = away.length > 0 ? 1 : 0
    if (watch) await ports.clock.sleep(Math.max(0, REDRAW_MS - (ports.clock.now() - startedAt)), signal)
  } while (watch && !signal?.aborted)
  return code
}

function awayText(server: Server, reason: string): string {
  const code = server === 'Kafka' ? 'KAFKA_UNAVAILABLE' : 'CASSANDRA_UNAVAILABLE'
  const lacking = server === 'Kafka' ? 'states, lags and members' : 'versions, dead letters and what readers see'
  return describe(
    new TidemarkError(code, `${server} is away (${reason}): ${lacking} are not known`, {
      remedy: `Check that it is up and reachable: \`tidemark doctor\`.`,
    }),
  )
}
