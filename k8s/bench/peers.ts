import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projections, type Workload, type WorkName } from './workload.ts'

/** One of the compared: a worker as a process of its own. */
export interface Peer {
  readonly name: string
  readonly title: string
  /** `limit`: what no worker can beat, since it leaves out half of the work. */
  readonly kind: 'tidemark' | 'compared' | 'limit'
  /** Of the events, how many it is given: the slowest would need minutes. */
  readonly share: number
  readonly works: readonly WorkName[]
  command(work: Workload, keyspace: string): readonly string[]
  env?(work: Workload, keyspace: string): Readonly<Record<string, string>>
  /** Where it says in numbers what it has received, if it can't say `bench: first event`. */
  readonly received?: string
}

const here = import.meta.dirname
const root = join(here, '../..')
const node = (file: string, ...args: string[]) => [process.execPath, join(here, 'peers', file), ...args]
const BOTH = ['w1', 'w2'] as const
const STATE = ['order_id', 'seq', 'status', 'amount_cents', 'currency', 'customer', 'updated_at']
const HTTP_PORT = '14195'

const inNode: readonly Peer[] = [
  {
    name: 'tidemark',
    title: 'Tidemark',
    kind: 'tidemark',
    share: 1,
    works: ['w1', 'w2', 'w2-bare', 'w6', 'w6-merge'],
    command: (work) => [process.execPath, ...flags(), join(root, 'workers/ctl/main.ts'), 'run', ...projections(work)],
    env: () => ({ TIDEMARK_PROJECTIONS: join(here, 'projections'), TIDEMARK_HTTP_PORT: '0', LOG_LEVEL: 'warn' }),
  },
  {
    name: 'each-message',
    title: 'kafkajs eachMessage, await',
    kind: 'compared',
    share: 0.1,
    works: BOTH,
    command: () => node('each-message.ts'),
  },
  {
    name: 'each-batch',
    title: 'kafkajs eachBatch + p-limit, careful',
    kind: 'compared',
    share: 1,
    works: BOTH,
    command: () => node('each-batch.ts'),
  },
]

/** A JVM that has just started writes at half of its speed. Not counted. */
export const warmUp: Peer = {
  name: 'memory',
  title: 'limit: a row per event from memory',
  kind: 'limit',
  share: 1,
  works: ['w1'],
  command: () => node('memory.ts'),
}

const limits: readonly Peer[] = [
  {
    name: 'consume',
    title: 'limit: consume, do nothing',
    kind: 'limit',
    share: 1,
    works: BOTH,
    command: () => node('consume.ts'),
  },
  {
    name: 'parse',
    title: 'limit: consume, JSON.parse',
    kind: 'limit',
    share: 1,
    works: BOTH,
    command: () => node('consume.ts', 'parse'),
  },
  warmUp,
]

const goPeers: readonly Peer[] = [
  {
    name: 'franz-go',
    title: 'franz-go + gocql, 512 in flight',
    kind: 'compared',
    share: 1,
    works: BOTH,
    command: () => [binary('franz-go')],
  },
  {
    name: 'benthos',
    title: 'Benthos 4.27.0, batches of 20',
    kind: 'compared',
    share: 1,
    works: BOTH,
    command: () => [binary('benthos'), '-c', join(here, 'peers/benthos/config.yaml')],
    env: ({ view }, keyspace) => {
      const columns = view === 'w1' ? ['id', ...STATE] : STATE
      const state =
        'this.data.orderId, this.data.seq, this.data.status, this.data.amountCents, this.data.currency, this.data.customer, this.time'
      return {
        BENCH_HTTP_PORT: HTTP_PORT,
        BENCH_QUERY: `INSERT INTO ${keyspace}.bench_${view}_v1 (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        BENCH_ARGS: `root = [ ${view === 'w1' ? 'this.id, ' : ''}${state} ]`,
      }
    },
    received: `http://127.0.0.1:${HTTP_PORT}/metrics`,
  },
]

/** In the order in which they take turns. Those in Go are left out, with a word, where there is no Go. */
export function peers(): readonly Peer[] {
  return [...inNode, ...builtGo(), ...limits]
}

function builtGo(): readonly Peer[] {
  if (spawnSync('go', ['version']).status !== 0) {
    console.log('no Go toolchain: franz-go and Benthos are left out')
    return []
  }
  return goPeers.filter(({ name }) => {
    console.log(`building ${name} …`)
    const built = spawnSync('go', ['build', '-o', binary(name), '.'], {
      cwd: join(here, 'peers', name),
      stdio: 'inherit',
    })
    if (built.status !== 0) console.log(`${name} could not be built and is left out`)
    return built.status === 0 && existsSync(binary(name))
  })
}

function binary(name: string): string {
  return join(root, '.stack/bench-peers', name)
}

/** Flags for Tidemark's Node from BENCH_NODE_FLAGS, as `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
function flags(): string[] {
  return (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '')
}
