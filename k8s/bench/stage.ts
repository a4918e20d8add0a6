import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'cassandra-driver'
import type { Admin } from 'kafkajs'
import type { Peer } from './peers.ts'
import type { Servers } from './processes.ts'
import { createKeyspace, createTable } from './views.ts'
import { projections, type Workload } from './workload.ts'

export interface Bench {
  readonly admin: Admin
  readonly client: Client
  readonly servers: Servers
}

/** A keyspace and a group of its own for one run. */
export interface Stage {
  readonly peer: Peer
  readonly work: Workload
  readonly bench: Bench
  readonly keyspace: string
  readonly group: string
  readonly env: NodeJS.ProcessEnv
}

export interface Worker {
  readonly pid: number
  /** Resolves when it has the first event in its hands. */
  readonly first: Promise<void>
  /** Resolves when it has said that all is done: for what commits nothing. */
  readonly done: Promise<void>
  /** Rejects when it ends by itself. */
  readonly lost: Promise<never>
  /** Has it drain and end; safe to call twice. */
  end(): Promise<void>
}

const root = join(import.meta.dirname, '../..')
let stages = 0

/** Sets a stage, uses it, and leaves nothing behind. */
export async function staged<T>(
  peer: Peer,
  work: Workload,
  bench: Bench,
  use: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { admin, client } = bench
  const keyspace = `bench_${process.pid}_${++stages}`
  const group = peer.kind === 'tidemark' ? `${work.projection}.v1` : keyspace
  const env = {
    ...process.env,
    CASSANDRA_KEYSPACE: keyspace,
    BENCH_TOPIC: work.topic,
    BENCH_GROUP: group,
    BENCH_WORK: work.view,
    BENCH_EVENTS: String(work.events),
    BENCH_ENTITIES: String(work.entities),
    BENCH_PARTITIONS: String(work.partitions),
    BENCH_COPIES: String(work.copies),
    ...peer.env?.(work, keyspace),
  }
  const groups = [group, group.replace(/\.v1$/, '.v2'), ...projections(work).map((name) => `${name}.v1`)]
  await forget(admin, groups)
  await createKeyspace(client, keyspace)
  try {
    if (peer.kind !== 'tidemark') await createTable(client, keyspace, work)
    else if ((await tidemark(['init', ...projections(work)], env)) !== 0) throw new Error('tidemark init failed')
    return await use({ peer, work, bench, keyspace, group, env })
  } finally {
    await client.execute(`DROP KEYSPACE ${keyspace}`)
    await forget(admin, groups)
  }
}

/** Starts the peer's process; `more` goes into its environment. */
export function started({ peer, work, keyspace, env }: Stage, more: NodeJS.ProcessEnv = {}): Worker {
  const [command = '', ...args] = peer.command(work, keyspace)
  const worker = spawn(command, args, { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'inherit'] })
  const said = lines(worker)
  const lost = new Promise<never>((_, reject) => {
    worker.once('error', reject)
    worker.once('exit', (code, signal) => reject(new Error(`${peer.name} ended by itself (${code ?? signal})`)))
  })
  lost.catch(() => {})
  return {
    pid: worker.pid ?? 0,
    first: peer.received ? receiving(peer.received) : said('bench: first event'),
    done: said('bench: done'),
    lost,
    end: () => ended(worker),
  }
}

/** Without progress for so long a run has failed. */
const PATIENCE_MS = 60_000

/** Resolves when the group has committed so many events of the topic. */
export async function committed(admin: Admin, groupId: string, topic: string, events: number): Promise<void> {
  let [reached, since] = [0, performance.now()]
  while (reached < events) {
    await sleep(50)
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const sum = offsets?.partitions.reduce((all, { offset }) => all + Math.max(0, Number(offset)), 0) ?? 0
    if (sum > reached) since = performance.now()
    else if (performance.now() - since > PATIENCE_MS)
      throw new Error(`group ${groupId} has committed ${sum} of ${events} events and nothing for ${PATIENCE_MS} ms`)
    reached = sum
  }
}

/** Runs a command of Tidemark's to its end; what it says is shown only where it fails. */
export async function tidemark(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const said: Buffer[] = []
  const command = spawn(process.execPath, [join(root, 'workers/ctl/main.ts'), ...args], { env, stdio: 'pipe' })
  for (const stream of [command.stdout, command.stderr]) stream.on('data', (bytes: Buffer) => said.push(bytes))
  const code = await new Promise<number>((resolve) => command.once('exit', (exit) => resolve(exit ?? 1)))
  if (code !== 0)
    console.error(`tidemark ${args.join(' ')}: exit ${code}\n${Buffer.concat(said).toString().slice(0, 3_000)}`)
  return code
}

/** Waits for lines on standard output; those that are not meant for the runner are passed on. */
function lines(worker: ChildProcess): (line: string) => Promise<void> {
  const heard = new Map<string, PromiseWithResolvers<void>>()
  const of = (line: string) => {
    const known = heard.get(line) ?? Promise.withResolvers<void>()
    heard.set(line, known)
    return known
  }
  if (worker.stdout)
    createInterface(worker.stdout).on('line', (line) => {
      of(line).resolve()
      if (!line.startsWith('bench: ')) console.error(line)
    })
  return (line) => of(line).promise
}

/** Resolves when Benthos has counted its first message. */
async function receiving(url: string): Promise<void> {
  for (;;) {
    const counted = await fetch(url)
      .then((answer) => answer.text())
      .catch(() => '')
    if (/"input_received\{.*?\}":\s*[1-9]/.test(counted)) return
    await sleep(10)
  }
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const gone = new Promise((resolve) => worker.once('exit', resolve))
  worker.kill('SIGTERM')
  const late = setTimeout(() => worker.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(late)
}

/** What a run that was broken off has committed must not count for the next one. A group that does not exist need not be deleted. */
async function forget(admin: Admin, groups: readonly string[]): Promise<void> {
  const { groups: known } = await admin.listGroups()
  const left = groups.filter((group) => known.some(({ groupId }) => groupId === group))
  if (left.length > 0) await admin.deleteGroups(left)
}
