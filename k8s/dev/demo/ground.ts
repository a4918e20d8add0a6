import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { down, up } from '../lifecycle.ts'
import type { Progress } from '../progress.ts'
import { recordedSettings, settingsOf } from '../record.ts'
import { addresses, type Settings } from '../settings.ts'

export const ROOT = join(import.meta.dirname, '..', '..', '..')

const NAME = 'demo'
const PORTS = { KAFKA_PORT: 19_092, CQL_PORT: 19_042, STORAGE_PORT: 17_000, JMX_PORT: 17_199 }

/** What a person may choose about any stack; its place is the demo's own affair. */
const CHOICES = ['STACK_MODE', 'STACK_JVM', 'KAFKA_HEAP', 'CASSANDRA_HEAP']

/** The demo's stack as it was last started. */
function recorded(): Settings {
  return recordedSettings({ STACK_NAME: NAME }, ROOT)
}

/** Where logs and pid files of the demo's processes lie: with the data of its stack, so that they go with it. */
export function demoFolder(): string {
  return join(recorded().dir, 'processes')
}

/**
 * Starts a stack of the demo's own, on free ports, and gives what children need to know of it. A developer's default stack may run
 * beside it, and neither sees the other's events. When it fails or is cancelled it ends what it started.
 */
export async function startStack(progress: Progress, cancel: AbortSignal): Promise<Record<string, string>> {
  const chosen = Object.fromEntries(CHOICES.map((name) => [name, process.env[name]]))
  const wanted = settingsOf({ ...chosen, STACK_NAME: NAME, ...(await freePorts(PORTS)) }, ROOT)
  const { settings } = await up(wanted, progress, cancel)
  return addresses(settings)
}

/** Ends the demo's stack, whoever started it. With `wipe` its data goes, so that the next demo begins with an empty log. */
export async function endStack(progress: Progress, { wipe }: { readonly wipe: boolean }): Promise<boolean> {
  return (await down(recorded(), progress, { wipe })).length > 0
}
