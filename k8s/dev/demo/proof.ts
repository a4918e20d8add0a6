import { z } from 'zod'
import { type Children, DemoFailure } from './children.ts'
import type { Display } from './display.ts'

const verdict = z.object({
  projection: z.string(),
  ok: z.boolean(),
  events: z.number(),
  rows: z.number(),
  differenceCount: z.number(),
  deadLetters: z.number(),
})
const output = z.union([z.array(verdict), verdict.transform((one) => [one])])

/** `tidemark verify` of every projection; fails on the first that is not equal to the log, or that compared nothing. */
export async function prove(
  names: readonly string[],
  children: Children,
  display: Display,
  signal: AbortSignal,
): Promise<void> {
  let rows = 0
  for (const name of names) {
    const since = Date.now()
    const [found] = output.parse(JSON.parse(await children.run(['verify', name, '--json'], signal)))
    if (!found?.ok || found.differenceCount > 0 || found.rows === 0 || found.deadLetters > 0)
      throw new DemoFailure(`verify of ${name} found ${JSON.stringify(found)}`)
    rows += found.rows
    const compared = `${found.rows.toLocaleString('en').padStart(6)} rows = the fold of ${found.events.toLocaleString('en').padStart(6)} events, ${found.differenceCount} differences`
    display.done(`verify ${name.padEnd(20)}`, since, compared)
  }
  display.say(`  ${rows.toLocaleString('en')} rows compared, 0 differences`)
}
