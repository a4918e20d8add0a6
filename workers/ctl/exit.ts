import { describe, TidemarkError } from '../../shared/errors.ts'

/** As sysexits.h names it: what was configured is wrong, and starting again won't help. */
const EX_CONFIG = 78
const EX_USAGE = 64

/** Which exit code tells a supervisor what happened. */
export function exitCode(error: unknown): number {
  if (!(error instanceof TidemarkError)) return 1
  if (error.code === 'USAGE') return EX_USAGE
  return error.kind === 'usage' || error.kind === 'refused' ? EX_CONFIG : 1
}

/** What a person reads: the error in its own words; the stack only of what nobody foresaw. */
export function lastWords(error: unknown): string {
  if (error instanceof TidemarkError) return `tidemark: ${describe(error)}\n`
  return `tidemark: unexpected ${error instanceof Error ? error.stack : String(error)}\n`
}
