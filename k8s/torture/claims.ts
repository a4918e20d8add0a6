/** What is measured and claimed (issue 4), in milliseconds. */
export interface Claim {
  readonly most: number
  /** A machine that does much else may be slow; beyond this something is wrong. */
  readonly fails: number
}

/** Of the suite's workers (KAFKA_SESSION_TIMEOUT_SECONDS). */
export const SESSION_MS = 6_000

export const claims = {
  takeoverAfterKill: { most: SESSION_MS + 1_000, fails: 5 * (SESSION_MS + 1_000) },
  takeoverAfterRebalance: { most: 1_000, fails: 10_000 },
  delayUnderPoison: { most: 1_000, fails: 10_000 },
} as const satisfies Readonly<Record<string, Claim>>

export type Claimed = keyof typeof claims

/** The figures beyond what any machine may take, each a sentence. */
export function broken(figures: Readonly<Partial<Record<Claimed, number | undefined>>>): readonly string[] {
  return CLAIMED.flatMap((name) => {
    const [ms, { most, fails }] = [figures[name], claims[name]]
    return ms !== undefined && ms > fails
      ? [`${name} took ${Math.round(ms)} ms: ${most} are claimed, ${fails} are too many on any machine`]
      : []
  })
}

export const CLAIMED = [
  'takeoverAfterKill',
  'takeoverAfterRebalance',
  'delayUnderPoison',
] as const satisfies readonly Claimed[]
