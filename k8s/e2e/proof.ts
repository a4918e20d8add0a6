import type { Verification } from '../../workers/ctl/verify/verify.ts'
import type { Cluster } from './cluster.ts'
import { command } from './command.ts'
import type { ClusterSettings } from './settings.ts'

/** What a proof of some views came to, in short. */
export interface Proof {
  readonly events: number
  readonly rows: number
  /** Each as a sentence; empty if every view is the fold of its log. */
  readonly faults: readonly string[]
}

/** `tidemark verify` of each version (`cart-summary.v1`), once its workers have caught up. */
export async function proof(
  cluster: Cluster,
  settings: ClusterSettings,
  versions: readonly string[],
  projections?: string,
): Promise<Proof> {
  const { ok, text } = await command(
    cluster,
    settings,
    ['verify', ...versions, '--json', '--catch-up', '180s'],
    projections,
  )
  const results = documents(text)
  const faults = results.flatMap((one) =>
    one.ok && one.events > 0 && one.deadLetters === 0
      ? []
      : [
          `${one.projection}.v${one.version}: ${one.differenceCount} differences, lag ${one.lag}, ${one.events} events, ${one.deadLetters} dead letters ${JSON.stringify(one.differences.slice(0, 3))}`,
        ],
  )
  if (results.length !== versions.length || (!ok && faults.length === 0)) faults.push(text)
  const sum = (of: (one: Verification) => number) => results.reduce((total, one) => total + of(one), 0)
  return { events: sum(({ events }) => events), rows: sum(({ rows }) => rows), faults }
}

/** The JSON documents that stand one after the other in a text. */
function documents(text: string): readonly Verification[] {
  return Array.from(text.matchAll(/^\{$[\s\S]*?^\}$/gm), ([document]): Verification => JSON.parse(document))
}
