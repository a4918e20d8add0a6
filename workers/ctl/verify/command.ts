import type { Projection } from '../../../shared/projection/projection.ts'
import { type ProgressBar, progressBar } from '../progress-bar.ts'
import type { Output } from '../terminal.ts'
import { reportVerification } from './report.ts'
import { type VerifyOptions, type VerifyPorts, verify } from './verify.ts'

/** What shells give a process that Ctrl-C has ended. */
const INTERRUPTED = 130

/** `tidemark verify NAME [--json]`: prints the result, progress on `errors`. Returns the exit code: 1 where anything differs or nothing could be proven. */
export async function verifyCommand(
  projection: Projection,
  ports: VerifyPorts,
  options: Omit<VerifyOptions, 'onStep'> & { readonly json?: boolean },
  output: Output,
  errors: Output,
): Promise<number> {
  const bar: ProgressBar = progressBar(errors)
  const labels = { waiting: 'waiting for the workers', folding: 'folding the log', comparing: 'comparing the table' }
  try {
    const result = await verify(projection, ports, {
      ...options,
      onStep: ({ phase, done, total }) => bar.update(`${projection.name}: ${labels[phase]}`, done, total),
    })
    bar.end()
    if (options.json) output.write(`${JSON.stringify(result, null, 2)}\n`)
    else reportVerification(result, output)
    return result.ok ? 0 : 1
  } catch (error) {
    if (!options.signal?.aborted) throw error
    bar.end()
    errors.write('verify: interrupted, nothing was proven\n')
    return INTERRUPTED
  } finally {
    bar.end()
  }
}
