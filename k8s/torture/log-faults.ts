import type { Scenario } from './log-scenario.ts'
import { tableScenarios } from './log-tables.ts'
import { topicScenarios } from './log-topic.ts'
import { type LogServers, LogWorld } from './log-world.ts'
import { Random } from './random.ts'

/** What may happen to the log and to the tables themselves. */
export const logScenarios: readonly Scenario[] = [...topicScenarios, ...tableScenarios]

/** Plays one scenario in a world called `name`, of which something is left only if it failed. Gives what is not as expected. */
export async function playLog(
  { expected, play }: Scenario,
  name: string,
  servers: LogServers,
  random: Random,
): Promise<readonly string[]> {
  const world = await LogWorld.create(name, servers)
  let clear = false
  try {
    const differences = [...(await play(world, random)), ...world.troubles()]
    clear = differences.length === 0
    return clear ? [] : [`expected: ${expected}`, ...differences]
  } finally {
    await world.end({ clear })
  }
}

/** Those of the scenarios whose name has `part`. */
export function logScenariosWith(part: string): readonly Scenario[] {
  return logScenarios.filter(({ name }) => name.includes(part))
}

/** Plays the scenarios in turn, one a call, and gives its name; rejects if one does not end as it must. */
export async function nextLogFault(
  wanted: readonly Scenario[],
  servers: LogServers,
  seed: number,
  turn: number,
): Promise<string> {
  const scenario = wanted[(seed + turn) % wanted.length]
  if (!scenario) throw new Error('there is no scenario to be played')
  const began = performance.now()
  const differences = await playLog(scenario, `s${seed}t${turn}`, servers, new Random(seed * 1_000 + turn))
  if (differences.length > 0) throw new Error(`${scenario.name}: ${differences.slice(0, 10).join('; ')}`)
  console.log(`  log ${scenario.name}: as it must, ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  return scenario.name
}
