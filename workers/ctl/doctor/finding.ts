import { describe, TidemarkError } from '../../../shared/errors.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  /** What was looked at: `topic carts`. */
  readonly subject: string
  readonly message: string
  /** What to do about it; of a warning or failure. */
  readonly remedy?: string
}

export function ok(subject: string, message: string): Finding {
  return { level: 'ok', subject, message }
}

export function warn(subject: string, message: string, remedy: string): Finding {
  return { level: 'warn', subject, message, remedy }
}

export function fail(subject: string, message: string, remedy: string): Finding {
  return { level: 'fail', subject, message, remedy }
}

/** An error as a finding, in its own words. */
export function failed(subject: string, error: unknown): Finding {
  if (!(error instanceof TidemarkError))
    return fail(subject, describe(error), 'This was not foreseen: please report it.')
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return fail(subject, `${error.code}: ${error.message.trimEnd()}${cause}`, error.remedy)
}

/** The findings of a check, or its failure as one: what comes after it is looked at all the same. */
export async function attempt(subject: string, check: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await check()
  } catch (error) {
    return [failed(subject, error)]
  }
}
