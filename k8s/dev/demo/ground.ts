import { createServer } from 'node:net'
import { join } from 'node:path'
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
  const wanted = settingsOf({ ...chosen, STACK_NAME: NAME, ...(await freePorts()) }, ROOT)
  const { settings } = await up(wanted, progress, cancel)
  return addresses(settings)
}

/** Ends the demo's stack, whoever started it. With `wipe` its data goes, so that the next demo begins with an empty log. */
export async function endStack(progress: Progress, { wipe }: { readonly wipe: boolean }): Promise<boolean> {
  return (await down(recorded(), progress, { wipe })).length > 0
}

/** The usual ports, or all of them moved together where one is taken. Kafka's controller listens 1000 above its port. */
async function freePorts(): Promise<Record<string, string>> {
  for (let moved = 0; moved <= 900; moved += 100) {
    const ports = [...Object.values(PORTS), PORTS.KAFKA_PORT + 1_000]
    const free = await Promise.all(ports.map((port) => tryPort(port + moved, '127.0.0.1')))
    if (free.includes(undefined)) continue
    return Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, String(port + moved)]))
  }
  // The stack itself says best which port is taken, and by whom.
  return Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, String(port)]))
}

/** The port wanted, or any other if somebody listens there. */
export async function freePort(preferred: number): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? preferred
}

function tryPort(port: number, host?: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const server = createServer()
  server.once('error', () => resolve(undefined))
  server.listen({ port, exclusive: true, ...(host ? { host } : {}) }, () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
  })
  return promise
}
