import type { Cluster, ClusterObject } from './cluster.ts'
import { until } from './patience.ts'
import { program } from './program.ts'
import { RELEASED } from './release.ts'

const PATIENCE_SECONDS = 180

/** The workers of one version of a projection, as the API tells of them. */
export class Fleet {
  readonly #cluster: Cluster
  readonly #selector: string
  readonly deployment: string

  constructor(cluster: Cluster, projection: string, version: number) {
    this.#cluster = cluster
    this.#selector = `${RELEASED},tidemark.dev/projection=${projection},tidemark.dev/version=${version}`
    this.deployment = `tidemark-${projection}-v${version}`
  }

  /** Workers that are not about to end. */
  async workers(): Promise<readonly ClusterObject[]> {
    const pods = await this.#cluster.objects('pods', this.#selector)
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  }

  /** Resolves when exactly `count` workers run, all of them ready. */
  async has(count: number): Promise<void> {
    await until(`${this.deployment} has ${count} ready worker(s)`, PATIENCE_SECONDS, async () => {
      const workers = await this.workers()
      return workers.length === count && workers.every(isReady)
    })
  }

  /** Resolves when no worker of before is left and the rollout is complete. */
  async rolledOut(): Promise<void> {
    await this.#cluster.kubectl(
      'rollout',
      'status',
      `deployment/${this.deployment}`,
      '--timeout',
      `${PATIENCE_SECONDS}s`,
    )
  }
}

export function isReady({ status }: ClusterObject): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false
}

/**
 * Ends a worker's process in the midst of what it does: nothing is drained or committed. With `kill` (a shell command) by SIGKILL from
 * outside; otherwise from within, by its debugger, since no process can send SIGKILL to the first one of its own container.
 * Resolves when the container has been started again.
 */
export async function crash(cluster: Cluster, pod: ClusterObject, kill: string | undefined): Promise<void> {
  const { name } = pod.metadata
  const before = restarts(pod)
  if (kill) await program('sh', ['-c', kill], { env: { POD: name, NAMESPACE: cluster.namespace } })
  // It takes the connection with it.
  else await cluster.kubectl('exec', name, '--', 'node', '--input-type=module', '--eval', ABORT).catch(() => {})
  await until(`the worker in ${name} was started again`, PATIENCE_SECONDS, async () => {
    const [now] = await cluster.objects('pods', '').then((pods) => pods.filter((one) => one.metadata.name === name))
    return now !== undefined && restarts(now) > before && isReady(now)
  })
}

const restarts = ({ status }: ClusterObject) => status?.containerStatuses?.[0]?.restartCount ?? 0

/** SIGUSR1 has Node listen for a debugger; abort() raises a signal that the kernel does not keep from a first process. */
const ABORT = `
process.kill(1, 'SIGUSR1')
for (let tries = 0; tries < 100; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 100))
  const targets = await fetch('http://127.0.0.1:9229/json/list').then((answer) => answer.json(), () => [])
  if (targets.length === 0) continue
  const socket = new WebSocket(targets[0].webSocketDebuggerUrl)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.abort()' } }))
  await new Promise((resolve) => socket.addEventListener('close', resolve))
  process.exit(0)
}
process.exit(1)
`

/**
 * Evicts pods as `kubectl drain` does, which asks the disruption budgets. Their nodes stay open for the new ones, since a cluster
 * may have only one. Gives how often a budget refused because another pod was still missing.
 */
export async function evict(cluster: Cluster, pods: readonly ClusterObject[]): Promise<number> {
  let refused = 0
  for (const { metadata } of pods) {
    await until(`${metadata.name} may be evicted`, PATIENCE_SECONDS, async () => {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: metadata.name } }
      try {
        await cluster.post(`pods/${metadata.name}/eviction`, eviction)
        return true
      } catch (error) {
        if (!/disruption budget|TooManyRequests/i.test(String(error))) throw error
        refused += 1
        return false
      }
    })
  }
  return refused
}
