import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StackError } from './errors.ts'
import { checkPorts } from './ports.ts'
import { awaitAnswer } from './ready.ts'
import type { Runner } from './runner.ts'
import { everyNode, type Settings, type StackNode } from './settings.ts'

const run = promisify(execFile)
const FILE = join(import.meta.dirname, 'compose.yaml')

/** The stack as containers of compose.yaml. */
export const containers: Runner = {
  async isRunning(settings, node) {
    return (await runningServices(settings)).includes(service(node))
  },

  async start(settings, nodes, progress, cancel) {
    mkdirSync(settings.dir, { recursive: true })
    await checkPorts(
      nodes.map((node) => ({ ...node, ports: node.ports.filter(({ address }) => address === node.client) })),
    )
    const images = progress.step('images and containers')
    await compose(settings, ['up', '--detach', '--no-recreate', ...nodes.map(service)], cancel)
    images.done('started')
    await Promise.all(
      nodes.map(async (node) => {
        let up = true
        const watch = setInterval(async () => {
          up = await containers.isRunning(settings, node).catch(() => true)
        }, 2_000)
        try {
          const ended = () =>
            up ? undefined : new StackError(`${node.name} ended`, `Read \`docker logs ${container(settings, node)}\`.`)
          await awaitAnswer(node, progress, cancel, ended)
        } finally {
          clearInterval(watch)
        }
      }),
    )
  },

  async stop(settings, only) {
    const ended = await runningServices(settings)
    await compose(settings, only ? ['stop', '--timeout', '20', ...only.map(service)] : ['down', '--timeout', '20'])
    return ended.map((name) => name.replace('-', '.'))
  },

  kill: async (settings, node) => void (await compose(settings, ['kill', '--signal', 'SIGKILL', service(node)])),
  pause: async (settings, node) => void (await compose(settings, ['pause', service(node)])),
  resume: async (settings, node) => void (await compose(settings, ['unpause', service(node)])),
  wipe: async (settings) => void (await compose(settings, ['down', '--volumes'])),
}

/** Whether a Docker daemon answers and knows Compose. A client without a daemon does not count. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 5_000 })
    await run('docker', ['compose', 'version'], { timeout: 5_000 })
    return true
  } catch {
    return false
  }
}

/** What compose.yaml leaves open. */
export function composeEnvironment(settings: Settings): Record<string, string> {
  const three = settings.brokers.length === 3
  return {
    STACK_NAME: settings.name,
    STACK_NET: settings.net,
    STACK_BROKERS: String(settings.brokers.length),
    STACK_VOTERS: settings.brokers.map((node) => `${node.index}@${service(node)}:9093`).join(','),
    STACK_MIN_ISR: three ? '2' : '1',
    STACK_OFFSETS_PARTITIONS: three ? '6' : '1',
    STACK_DURABLE: settings.durable ? '1' : '0',
    KAFKA_PORT: String(settings.brokers[0]?.client.port),
    CQL_PORT: String(settings.nodes[0]?.client.port),
    KAFKA_HEAP: settings.kafkaHeap,
    CASSANDRA_HEAP: settings.cassandraHeap,
    ...(settings.jvm.length > 0 && { STACK_JVM: settings.jvm.join(' ') }),
  }
}

async function compose(settings: Settings, args: string[], signal?: AbortSignal): Promise<string> {
  const profiles = everyNode(settings).length > 2 ? ['--profile', 'brokers3', '--profile', 'nodes3'] : []
  const env = { ...process.env, ...composeEnvironment(settings) }
  try {
    const all = ['compose', '--file', FILE, ...profiles, ...args]
    const { stdout } = await run('docker', all, { env, maxBuffer: 1e7, ...(signal && { signal }) })
    return stdout
  } catch (error) {
    signal?.throwIfAborted()
    const said = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .slice(-2000)
    throw new StackError(
      `docker compose ${args[0]} failed:\n${said}`,
      'Is the image reachable? STACK_MODE=jars runs the stack without Docker.',
    )
  }
}

async function runningServices(settings: Settings): Promise<string[]> {
  return (await compose(settings, ['ps', '--services', '--status', 'running'])).split('\n').filter(Boolean)
}

function service(node: StackNode): string {
  return `${node.service}-${node.index}`
}

function container(settings: Settings, node: StackNode): string {
  return `tidemark-${settings.name}-${service(node)}-1`
}
