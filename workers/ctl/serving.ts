import { z } from 'zod'
import { readConfig } from '../../shared/config.ts'
import { because, TidemarkError } from '../../shared/errors.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import type { Projections } from '../loader.ts'

/** A process that is to run with this program's files, as whoever installs it describes it. */
const process_ = z.strictObject({
  /** What the operator calls it, for the message: `projections.stock (v1)`. */
  name: z.string().min(1),
  /** The projection it runs, if it runs one: `stock.v1`. */
  run: z.string().min(1).optional(),
  /** The topics somebody said it reads, and their partitions in all; what was not said is not checked. */
  topics: z.array(z.string()).optional(),
  partitions: z.int().min(1).optional(),
  /** Settings that it has and this process has not. */
  env: z.record(z.string(), z.string()).optional(),
})

export type Serving = z.output<typeof process_>

/** A `--serves` of `tidemark init`: JSON. Throws USAGE where it is no process. */
export function parseServing(text: string): Serving {
  try {
    return process_.parse(JSON.parse(text))
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : because(error)
    throw new TidemarkError('USAGE', `--serves ${text} is no { name, run?, topics?, partitions?, env? }: ${reason}`)
  }
}

/**
 * Could these processes start, and do they read what was said of them? Before they are started, since a Deployment that crash-loops
 * is found late. Throws one CONFIG_INVALID with every fault.
 */
export function checkServing(
  serving: readonly Serving[],
  projections: Projections,
  env: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const faults = serving.flatMap((one) => faultsOf(one, projections, env).map((fault) => `${one.name}: ${fault}`))
  if (faults.length > 0)
    throw new TidemarkError('CONFIG_INVALID', `${faults.length} thing(s) to correct:\n${faults.map(item).join('\n')}\n`)
}

const item = (text: string) => `  - ${text.trim().replaceAll('\n', '\n    ')}`

function faultsOf(one: Serving, projections: Projections, env: Readonly<Record<string, string | undefined>>): string[] {
  const faults: string[] = []
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }
  if (one.env) attempt(() => readConfig({ ...env, ...one.env }))
  const { run } = one
  const projection = run === undefined ? undefined : attempt(() => projections.get(run))
  if (projection) faults.push(...misdescribed(one, projection))
  return faults
}

function misdescribed({ topics, partitions }: Serving, { topics: read }: Projection): string[] {
  const names = read.map(({ name }) => name).sort()
  const count = read.reduce((sum, topic) => sum + topic.partitions, 0)
  const faults: string[] = []
  if (topics && [...topics].sort().join() !== names.join())
    faults.push(`topics are said to be ${topics.join(', ') || 'none'}, but it reads ${names.join(', ')}`)
  if (partitions !== undefined && partitions !== count)
    faults.push(`partitions are said to be ${partitions}, but its topics are declared with ${count} in all`)
  return faults
}
