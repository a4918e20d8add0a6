import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StackError } from './errors.ts'
import { everyNode, readSettings, type Settings } from './settings.ts'

/** What is written beside a stack's data: how it was started, so that later commands need only its name. */
export type StackRecord = { mode: 'docker' | 'jars'; values: Record<string, string> }

type Environment = Record<string, string | undefined>

// Data is bound to the addresses and the number of the servers that wrote it.
const SHAPE = ['STACK_NET', 'STACK_BROKERS', 'STACK_NODES', 'STORAGE_PORT']
const LASTING = [...SHAPE, 'STACK_PROXY_NET', 'KAFKA_PORT', 'CQL_PORT', 'JMX_PORT']

export function readRecord(dir: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')) as StackRecord
  } catch {
    return undefined
  }
}

export function writeRecord(settings: Settings, record: StackRecord): void {
  mkdirSync(settings.dir, { recursive: true })
  const file = join(settings.dir, 'stack.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}

/** Undoes a first start that failed: the stack may be started in another way then. The logs stay to be read. */
export function forget(settings: Settings): void {
  rmSync(join(settings.dir, 'stack.json'), { force: true })
  const written = ['data', 'commitlog', 'saved_caches', 'hints', 'cdc']
  for (const { dir } of everyNode(settings)) {
    for (const name of written) rmSync(join(dir, name), { recursive: true, force: true })
  }
}

/** What `up` aims at: what the environment asks for, at the addresses and in the shape the stack had before. */
export function settingsOf(env: Environment, root: string): Settings {
  const settings = readSettings(env, root)
  const record = readRecord(settings.dir)
  if (!record) return settings
  const lasting = Object.fromEntries(LASTING.map((name) => [name, record.values[name]]))
  const asked = Object.fromEntries(settings.asked.map((name) => [name, settings.values[name]]))
  return { ...readSettings({ ...lasting, ...asked }, root), asked: settings.asked }
}

/** The stack as it was started, whatever the environment says now: its name alone counts. */
export function recordedSettings(env: Environment, root: string): Settings {
  const settings = readSettings(env, root)
  const record = readRecord(settings.dir)
  return record ? readSettings({ ...record.values, STACK_NAME: settings.name }, root) : settings
}

/** A running stack is not changed under its users. */
export function refuseChange(record: StackRecord, settings: Settings): void {
  const changed = differences(record, settings)
  if (changed.length === 0) return
  throw new StackError(
    `stack "${settings.name}" is running with another ${changed.join(', ')}`,
    '`make stack-down` first, or choose another STACK_NAME (with another STACK_NET or ports).',
  )
}

export function refuseOtherShape(record: StackRecord, settings: Settings): void {
  const changed = differences(record, settings).filter((name) => SHAPE.includes(name))
  if (changed.length === 0) return
  throw new StackError(
    `the data of stack "${settings.name}" was written with another ${changed.join(', ')}`,
    `\`STACK_NAME=${settings.name} node k8s/dev/stack.ts down --wipe\` removes it; another STACK_NAME keeps it.`,
  )
}

function differences(record: StackRecord, { asked, values }: Settings): string[] {
  return asked.filter((name) => values[name] !== record.values[name])
}
