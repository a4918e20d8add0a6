import type { Served, VersionStore } from '../../shared/engine/ports.ts'

/** The version of a projection that readers are to see; undefined while none has ever been run. */
export type ServedVersion = (projection: string) => Promise<number | undefined>

interface Parts {
  readonly versions: Pick<VersionStore, 'served'>
  /** Milliseconds of any clock. */
  readonly now: () => number
  /** Told when readers see another version than before. */
  readonly changed?: (projection: string, version: number, before: number) => void
}

/** How long an answer is used again, so that a switch needs no restart and a request seldom a read of its own. */
export const KEPT_MS = 2_000

/**
 * What `tidemark switch` and `tidemark rollback` have left, at most two seconds old. While it can't be read, what was last known
 * holds on; rejects if nothing is.
 */
export function servedVersions({ versions, now, changed }: Parts): ServedVersion {
  const asked = new Map<string, { at: number; version: Promise<number | undefined> }>()
  const known = new Map<string, Served>()

  return (projection) => {
    const before = asked.get(projection)
    if (before && now() - before.at < KEPT_MS) return before.version
    const version = look(projection)
    asked.set(projection, { at: now(), version })
    // A failure is not kept: the next request looks again.
    version.catch(() => asked.delete(projection))
    return version
  }

  async function look(projection: string): Promise<number | undefined> {
    const before = known.get(projection)
    try {
      const served = await versions.served(projection)
      // Two looks may overlap: the one that saw less must not take readers back.
      const latest = served && before && before.turn > served.turn ? before : served
      if (latest) known.set(projection, latest)
      if (latest && before && latest.version !== before.version) changed?.(projection, latest.version, before.version)
      return latest?.version
    } catch (error) {
      if (before) return before.version
      throw error
    }
  }
}
