import { z } from 'zod'
import { readConfig } from '../../shared/config.ts'
import { because, listed, TidemarkError } from '../../shared/errors.ts'
import type { KafkaAdmin } from '../../shared/kafka/index.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import type { Projections } from '../loader.ts'
import { counted } from './terminal.ts'

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

type Serving = z.output<typeof process_>

/** What is asked of Kafka: a topic's partitions, undefined if there is no such topic. */
type Topics = Pick<KafkaAdmin, 'describe'>

/**
 * Could the processes that the `--serves` of `tidemark init` describe be started, and do they read what was said of them? Asked before
 * they are started, since a Deployment that crash-loops is found late.
 *
 * Throws USAGE where one is no process, one CONFIG_INVALID with every fault, and transient errors if Kafka is needed and away: what is
 * wrong without asking it is told all the same.
 */
export async function checkServing(
  texts: readonly string[],
  { projections, admin }: { readonly projections: Projections; readonly admin: Topics },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const faults: string[] = []
  let unanswered: unknown
  for (const one of texts.map(parsed)) {
    const tell = (fault: string) => faults.push(`${one.name}: ${fault.trim()}`)
    const { run, partitions } = one
    if (one.env) attempt(() => readConfig({ ...env, ...one.env }), tell)
    const projection = run === undefined ? undefined : attempt(() => projections.get(run), tell)
    if (!projection) continue
    const names = projection.topics.map(({ name }) => name).sort()
    if (one.topics && [...one.topics].sort().join() !== names.join())
      tell(`topics are said to be ${one.topics.join(', ') || 'none'}, but it reads ${names.join(', ')}`)
    if (partitions === undefined) continue
    const count = await partitionsOf(projection, admin).catch((error: unknown) => {
      unanswered ??= error
    })
    if (count !== undefined && count !== partitions)
      tell(`partitions are said to be ${partitions}, but its topics (${names.join(', ')}) have ${count} in all`)
  }
  if (faults.length > 0) throw new TidemarkError('CONFIG_INVALID', listed(counted(faults.length, 'fault'), faults))
  if (unanswered !== undefined) throw unanswered
}

function parsed(text: string): Serving {
  try {
    return process_.parse(JSON.parse(text))
  } catch (error) {
    // Without the text: a variable may have been put into it, and a secret into that.
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : 'it is no JSON'
    throw new TidemarkError('USAGE', `--serves is no { name, run?, topics?, partitions?, env? }: ${reason}`)
  }
}

function attempt<T>(work: () => T, tell: (fault: string) => void): T | undefined {
  try {
    return work()
  } catch (error) {
    tell(because(error))
    return undefined
  }
}

/** As many as there are; of a topic that is yet to be made, as many as are declared. */
async function partitionsOf(projection: Projection, admin: Topics): Promise<number> {
  const counts = await Promise.all(
    projection.topics.map(async (topic) => (await admin.describe(topic.name))?.partitions ?? topic.partitions),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}
