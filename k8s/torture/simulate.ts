import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { simulate } from '../../shared/testing/simulation.ts'
import { setting, steps } from '../../shared/testing/simulation-steps.ts'

/*
 * `node k8s/torture/simulate.ts --turns N --seed S`: histories until the simulated world has taken N turns. The first violation is
 * shrunk for a minute and printed with what repeats it, and ends the program with exit code 1.
 */

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    length: { type: 'string', default: '80' },
    'shrink-seconds': { type: 'string', default: '60' },
  },
})
const wanted = Number(values.turns)
const seed = Number(values.seed)
let [turns, histories] = [0, 0]

const property = fc.asyncProperty(setting, steps(Number(values.length)), async (made, history) => {
  if (turns >= wanted) return
  turns += await simulate(made, history)
  histories++
})
const numRuns = Math.ceil(wanted / 20)
const result = await fc.check(property, { seed, numRuns, endOnFailure: true })
const told = `simulation, seed ${seed}: ${histories} histories, ${turns} turns`
if (result.failed) {
  console.log(`${told}: ${String(result.errorInstance)}`)
  turns = 0
  const { counterexample, errorInstance } = await fc.check(property, {
    seed,
    numRuns: 1,
    ...(result.counterexamplePath ? { path: result.counterexamplePath } : {}),
    interruptAfterTimeLimit: Number(values['shrink-seconds']) * 1_000,
  })
  console.log(`shrunk: ${String(errorInstance)}\n${JSON.stringify(counterexample ?? result.counterexample)}`)
  process.exitCode = 1
} else console.log(`${told}, no violation`)
