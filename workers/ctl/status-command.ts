import type { Projection } from '../../shared/projection/projection.ts'
import { type StatusPorts, statusOf } from './status.ts'
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

/** `tidemark status [--watch] [--json]`. With `watch` and `json`: one array a line. Returns the exit code, which is 0: status judges nobody. */
export async function statusCommand(
  projections: readonly Projection[],
  ports: StatusPorts,
  { json, only, watch, signal }: StatusOptions,
  output: Output,
): Promise<number> {
  do {
    const startedAt = ports.clock.now()
    const statuses = await statusOf(projections, ports, only)
    if (signal?.aborted) break
    if (json) output.write(`${JSON.stringify(statuses, null, watch ? undefined : 2)}\n`)
    else {
      const clear = watch && output.isTTY ? CLEAR : ''
      output.write(`${clear}${statusLines(statuses, output).join('\n')}\n${watch && !output.isTTY ? '\n' : ''}`)
    }
    if (watch) await ports.clock.sleep(Math.max(0, REDRAW_MS - (ports.clock.now() - startedAt)), signal)
  } while (watch && !signal?.aborted)
  return 0
}
