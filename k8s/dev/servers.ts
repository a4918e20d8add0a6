import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startCassandra } from './cassandra.ts'
import { StackError } from './errors.ts'
import { jars } from './jars.ts'
import { findJava } from './java.ts'
import { startKafka } from './kafka.ts'
import { checkDisk, checkPorts } from './ports.ts'
import { killServer, running, signal, stopServer } from './process.ts'
import type { Progress } from './progress.ts'
import { awaitAnswer } from './ready.ts'
import type { Runner } from './runner.ts'
import type { Settings, StackNode } from './settings.ts'

const STOP_DEADLINE_MS = 20_000

/** The stack as plain Java processes of this machine. */
export const servers: Runner = {
  isRunning: async (_settings, node) => running(node.dir) !== undefined,

  async start(settings, nodes, progress, cancel) {
    mkdirSync(settings.dir, { recursive: true })
    checkDisk(settings.dir)
    findJava()
    await checkPorts(nodes)
    // The sooner one fails, the sooner the other is given up.
    const failed = new AbortController()
    const both = AbortSignal.any([cancel, failed.signal])
    const giveUp = (error: unknown) => {
      failed.abort(error)
      throw error
    }
    const results = await Promise.allSettled([
      startBrokers(settings, nodes, progress, both).catch(giveUp),
      startNodes(settings, nodes, progress, both).catch(giveUp),
    ])
    if (failed.signal.aborted) throw failed.signal.reason
    if (results.some(({ status }) => status === 'rejected')) cancel.throwIfAborted()
  },

  async stop(settings, only) {
    const dirs = only?.map(({ name }) => name) ?? readNodeDirs(settings.dir)
    const stopped = await Promise.all(dirs.map((dir) => stopServer(join(settings.dir, dir), STOP_DEADLINE_MS)))
    return dirs.filter((_, i) => stopped[i])
  },

  kill: async (_settings, node) => killServer(node.dir),
  pause: async (_settings, node) => send(node, 'SIGSTOP'),
  resume: async (_settings, node) => send(node, 'SIGCONT'),
  wipe: async () => {},
}

async function startBrokers(
  settings: Settings,
  wanted: StackNode[],
  progress: Progress,
  cancel: AbortSignal,
): Promise<void> {
  const nodes = wanted.filter(({ service }) => service === 'kafka')
  if (nodes.length === 0) return
  const lib = await jars('kafka', progress, cancel)
  cancel.throwIfAborted()
  await Promise.all(nodes.map((node) => startKafka(settings, node, lib)))
  await Promise.all(nodes.map((node) => awaitAnswer(node, progress, cancel)))
}

async function startNodes(
  settings: Settings,
  wanted: StackNode[],
  progress: Progress,
  cancel: AbortSignal,
): Promise<void> {
  const nodes = wanted.filter(({ service }) => service === 'cassandra')
  const [first, ...rest] = nodes
  if (!first) return
  const lib = await jars('cassandra', progress, cancel)
  // A ring is founded by its seed alone; once there is data, all may start at once.
  const founding = first.index === 1 && !existsSync(join(first.dir, 'data'))
  for (const group of founding ? [[first], rest] : [nodes]) {
    cancel.throwIfAborted()
    await Promise.all(group.map((node) => startCassandra(settings, node, lib)))
    await Promise.all(group.map((node) => awaitAnswer(node, progress, cancel)))
  }
}

function send(node: StackNode, name: 'SIGSTOP' | 'SIGCONT'): void {
  const identity = running(node.dir)
  if (!identity)
    throw new StackError(`${node.name} is not running`, `\`node k8s/dev/stack.ts start ${node.name}\` starts it.`)
  signal(identity, name)
}

// Not the nodes of the settings: what an earlier, larger stack of this name left running is ours to end too.
function readNodeDirs(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^(kafka|cassandra)\.\d$/.test(name))
  } catch {
    return []
  }
}
