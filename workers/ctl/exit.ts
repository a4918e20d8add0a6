import { describe, TidemarkError } from '../../shared/errors.ts'

/** As sysexits.h names it: starting again won't help before a person has acted. */
const EX_CONFIG = 78
const EX_USAGE = 64
/** Rights may be granted meanwhile, without a restart of anything else. */
const EX_NOPERM = 77

/**
 * Which exit code tells a supervisor what happened. 1: it may go better next time. A poison event that ends a projector
 * (TIDEMARK_ON_POISON=stop) is still there next time, so it counts as what a person has to act on.
 */
export function exitCode(error: unknown): number {
  if (!(error instanceof TidemarkError)) return 1
  if (error.code === 'USAGE') return EX_USAGE
  if (error.code === 'KAFKA_DENIED') return EX_NOPERM
  return error.kind === 'transient' ? 1 : EX_CONFIG
}

/** What a person reads: the error in its own words; the stack only of what nobody foresaw. */
export function lastWords(error: unknown): string {
  if (error instanceof TidemarkError) return `tidemark: ${describe(error)}\n`
  return `tidemark: unexpected ${error instanceof Error ? error.stack : String(error)}\n`
}
