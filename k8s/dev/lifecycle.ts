import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { containers, dockerAnswers } from './compose.ts'
import { StackError } from './errors.ts'
import { keepRunning } from './leases.ts'
import { locked } from './lock.ts'
import type { Progress } from './progress.ts'
import { answers, knowsItsPeers, until } from './ready.ts'
import {
  forget,
  readRecord,
  recordedSettings,
  refuseChange,
  refuseOtherShape,
  type StackRecord,
  writeRecord,
} from './record.ts'
import type { Runner } from './runner.ts'
import { servers } from './servers.ts'
import { everyNode, type Settings, type StackNode } from './settings.ts'

/** The stack as it runs, which may differ from what was asked for where it ran already, and what this call started. */
export type Started = { settings: Settings; started: string[] }

/**
 * Returns when every server of the stack answers. Where all ran already it starts none.
 * When it fails or is cancelled it ends what it started.
 */
export async function up(wanted: Settings, progress: Progress, cancel: AbortSignal): Promise<Started> {
  return exclusively(wanted, progress, cancel, async () => {
    const record = readRecord(wanted.dir)
    const runner = await runnerOf(wanted)
    const settings = await agree(wanted, record, runner)
    const missing = await notRunning(runner, settings)
    if (missing.length === 0) {
      await Promise.all(everyNode(settings).map((node) => confirm(settings, node)))
      return { settings, started: [] }
    }
    writeRecord(settings, { mode: runner === containers ? 'docker' : 'jars', values: settings.values })
    try {
      await runner.start(settings, missing, progress, cancel)
      // The others need a moment to find the ones that were just started.
      const settle = (node: StackNode) => until(() => knowsItsPeers(settings, node), node, cancel)
      await Promise.all(everyNode(settings).map(settle))
    } catch (error) {
      await runner.stop(settings, missing)
      if (record) writeRecord(settings, record)
      else forget(settings)
      throw error
    }
    return { settings, started: missing.map(({ name }) => name) }
  })
}

// A stack that runs in part is completed as it was begun.
async function agree(wanted: Settings, record: StackRecord | undefined, runner: Runner): Promise<Settings> {
  if (!record) return wanted
  const before = recordedSettings({ STACK_NAME: wanted.name }, wanted.root)
  const runs = (await notRunning(runner, before)).length < everyNode(before).length
  if (runs) refuseChange(record, wanted)
  else refuseOtherShape(record, wanted)
  return runs ? before : wanted
}

/** `onlyIf` is asked while no other process starts or ends this stack. */
export type DownOptions = { wipe?: boolean; onlyIf?: () => boolean }

/** Ends what this stack runs, whoever started it; gives the names. With `wipe` its data goes too. */
export async function down(settings: Settings, progress: Progress, options: DownOptions = {}): Promise<string[]> {
  if (!existsSync(settings.dir)) return []
  return exclusively(settings, progress, undefined, async () => {
    if (options.onlyIf?.() === false) return []
    keepRunning(settings.dir)
    const runner = await runnerOf(settings)
    const ended = await runner.stop(settings)
    if (options.wipe) {
      await runner.wipe(settings)
      rmSync(settings.dir, { recursive: true, force: true })
    }
    return ended
  })
}

export type NodeStatus = { node: StackNode; state: 'ready' | 'running, no answer' | 'not running' }

export async function status(settings: Settings): Promise<NodeStatus[]> {
  const runner = await runnerOf(settings)
  return Promise.all(
    everyNode(settings).map(async (node) => {
      if (!(await runner.isRunning(settings, node))) return { node, state: 'not running' as const }
      const ready = await answers(node).then(
        () => true,
        () => false,
      )
      return { node, state: ready ? ('ready' as const) : ('running, no answer' as const) }
    }),
  )
}

/** Starts one server of the stack again and returns when it answers. */
export async function startNode(
  settings: Settings,
  node: StackNode,
  progress: Progress,
  cancel: AbortSignal,
): Promise<void> {
  const runner = await runnerOf(settings)
  if (!(await runner.isRunning(settings, node))) await runner.start(settings, [node], progress, cancel)
}

/** How a stack is run is decided when it is first started and holds as long as its data. */
export async function runnerOf(settings: Settings): Promise<Runner> {
  const recorded = readRecord(settings.dir)?.mode
  const mode = recorded ?? (settings.mode === 'auto' ? ((await dockerAnswers()) ? 'docker' : 'jars') : settings.mode)
  return mode === 'docker' ? containers : servers
}

async function notRunning(runner: Runner, settings: Settings): Promise<StackNode[]> {
  const nodes = everyNode(settings)
  const states = await Promise.all(nodes.map((node) => runner.isRunning(settings, node)))
  return nodes.filter((_, i) => !states[i])
}

async function confirm(settings: Settings, node: StackNode): Promise<void> {
  await knowsItsPeers(settings, node).catch((error: Error) => {
    const remedy = `Was it paused? \`node k8s/dev/stack.ts resume ${node.name}\`. Otherwise \`make stack-down stack\`.`
    throw new StackError(`${node.name} runs but is of no use: ${error.message}`, remedy)
  })
}

function exclusively<T>(
  settings: Settings,
  progress: Progress,
  cancel: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const file = join(dirname(settings.dir), `.${settings.name}.lock`)
  const waiting = (pid: number) => progress.say(`process ${pid} is starting or ending this stack, waiting for it`)
  return locked(file, waiting, work, cancel)
}
