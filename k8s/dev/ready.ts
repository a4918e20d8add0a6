import { setTimeout as sleep } from 'node:timers/promises'
import { releaseVersion, seesAllReplicas } from './cassandra-probe.ts'
import { StackError } from './errors.ts'
import { liveBrokers } from './kafka-probe.ts'
import { lastLines, logFile, POLL_MS, running } from './process.ts'
import type { Progress } from './progress.ts'
import type { Settings, StackNode } from './settings.ts'

const DEADLINE_MS = 120_000

/** Rejects unless this server answers a real request for itself, whatever its peers do. */
export async function answers(node: StackNode): Promise<void> {
  if (node.service === 'cassandra') {
    await releaseVersion(node.client)
  } else {
    const live = await liveBrokers(node.client)
    if (!live.includes(node.index)) throw new Error('it has not joined its cluster')
  }
}

/** Rejects unless this server also knows that all of its peers are there: then a quorum of anything can be had. */
export async function knowsItsPeers(settings: Settings, node: StackNode): Promise<void> {
  if (node.service === 'cassandra') {
    await releaseVersion(node.client)
    if (settings.nodes.length === 3) await seesAllReplicas(node.client)
  } else {
    const live = await liveBrokers(node.client)
    if (live.length < settings.brokers.length)
      throw new Error(`${live.length} of ${settings.brokers.length} brokers are up`)
  }
}

/** Waits until a server that was just started answers. Fails as soon as `dead` says why it never will. */
export async function awaitAnswer(
  node: StackNode,
  progress: Progress,
  cancel: AbortSignal,
  dead: () => StackError | undefined = () => deathOf(node),
): Promise<void> {
  const step = progress.step(node.name)
  await until(() => answers(node), node, cancel, dead)
  step.done(`ready at ${node.client.host}:${node.client.port}`)
}

/** Repeats `check` until it resolves. */
export async function until(
  check: () => Promise<void>,
  node: StackNode,
  cancel: AbortSignal,
  dead: () => StackError | undefined = () => undefined,
): Promise<void> {
  for (const start = Date.now(); ; await sleep(POLL_MS)) {
    cancel.throwIfAborted()
    const death = dead()
    if (death) throw death
    const answer = await check().then(() => undefined, String)
    if (answer === undefined) return
    if (Date.now() - start > DEADLINE_MS) {
      const what = `${node.name} was not ready after ${DEADLINE_MS / 1000} s (${answer}):\n${lastLines(logFile(node.dir), 15)}`
      throw new StackError(what, `Read ${logFile(node.dir)}. A slow or crowded machine? Run it again.`)
    }
  }
}

/** Says that a server of this machine ended, with the end of its log. */
function deathOf(node: StackNode): StackError | undefined {
  if (running(node.dir)) return undefined
  const log = logFile(node.dir)
  const remedy = `Read ${log}. Data of another version, or damaged? \`node k8s/dev/stack.ts down --wipe\` starts afresh.`
  return new StackError(`${node.name} ended. The last lines of its log:\n${lastLines(log, 20)}`, remedy)
}
