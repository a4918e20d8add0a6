import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, type FaultProxy, faultProxy } from '../../shared/testing/fault-proxy.ts'
import { PortTaken } from '../dev/errors.ts'
import { down, startNode, up } from '../dev/lifecycle.ts'
import { killServer, running, signal, stopServer } from '../dev/process.ts'
import { type Progress, showProgress } from '../dev/progress.ts'
import { settingsOf } from '../dev/record.ts'
import { addresses, everyNode, type Service, type Settings, type StackNode } from '../dev/settings.ts'

export const ROOT = join(import.meta.dirname, '..', '..')

/** Stacks of the suite's own, beside whatever else runs: servers on one net, proxies before them on another. */
const STACKS = {
  one: { STACK_NAME: 'torture', STACK_NET: '127.0.60', STACK_PROXY_NET: '127.0.61' },
  three: { STACK_NAME: 'torture-three', STACK_NET: '127.0.62', STACK_PROXY_NET: '127.0.63' },
  churn: { STACK_NAME: 'torture-churn', STACK_NET: '127.0.66', STACK_PROXY_NET: '127.0.67' },
  /** For the test of the suite, which may run beside it. */
  test: { STACK_NAME: 'torture-test', STACK_NET: '127.0.64', STACK_PROXY_NET: '127.0.65' },
} as const
const PORTS = { KAFKA_PORT: '19392', CQL_PORT: '19342', STORAGE_PORT: '17300' }
const HEAPS = {
  one: { KAFKA_HEAP: '384m', CASSANDRA_HEAP: '512m' },
  three: { KAFKA_HEAP: '256m', CASSANDRA_HEAP: '384m' },
  churn: { KAFKA_HEAP: '256m', CASSANDRA_HEAP: '384m' },
  test: { KAFKA_HEAP: '256m', CASSANDRA_HEAP: '384m' },
} as const

/** One server with the proxy that all its clients go through. */
export interface Server {
  readonly name: string
  readonly service: Service
  readonly proxy: FaultProxy
  kill(): Promise<void>
  /** Ends it as its operator does: it hands over what it leads. */
  stop(): Promise<void>
  /** Starts it again, if it is not running; resolves when it answers. */
  start(): Promise<void>
  pause(): void
  resume(): void
}

/** A Kafka and a Cassandra of `size` servers each, to be mistreated. */
export interface Ground {
  readonly size: 1 | 3
  readonly servers: readonly Server[]
  /** What workers need to know, in Tidemark's names. */
  readonly env: Readonly<Record<string, string>>
  /** Past the proxies. */
  readonly cassandra: readonly Endpoint[]
  of(service: Service): readonly Server[]
  /** Everything runs, is reached, and the network is fair. */
  heal(): Promise<void>
  end(): Promise<void>
}

/** Starts one of the suite's stacks afresh; what an earlier run has left of it is ended and removed. */
export async function startGround(which: keyof typeof STACKS): Promise<Ground> {
  const size = which === 'three' ? 3 : 1
  const progress = showProgress()
  const wanted = settingsOf(
    {
      ...STACKS[which],
      ...PORTS,
      ...HEAPS[which],
      STACK_MODE: 'jars',
      STACK_BROKERS: String(size),
      STACK_NODES: String(size),
    },
    ROOT,
  )
  await down(wanted, progress, { wipe: true })
  const { settings } = await up(wanted, progress, AbortSignal.timeout(600_000))
  const servers = await Promise.all(everyNode(settings).map((node) => serverOf(settings, node, progress)))
  const of = (service: Service) => servers.filter((server) => server.service === service)
  return {
    size,
    servers,
    env: addresses(settings),
    cassandra: settings.nodes.map(({ client }) => client),
    of,
    async heal() {
      await Promise.all(
        servers.map(async (server) => {
          server.proxy.weather({})
          server.proxy.cutAfter(Number.POSITIVE_INFINITY)
          await server.proxy.accept()
          server.resume()
          await server.start()
        }),
      )
    },
    async end() {
      await Promise.all(servers.map(({ proxy }) => proxy.close()))
      await down(settings, progress, { wipe: true })
      progress.close()
    },
  }
}

async function serverOf(settings: Settings, node: StackNode, progress: Progress): Promise<Server> {
  const proxy = await faultProxy(node.told, node.client)
  const quiet: Progress = { ...progress, step: () => ({ detail() {}, done() {} }) }
  const tell = (name: NodeJS.Signals) => {
    const identity = running(node.dir)
    if (identity) signal(identity, name)
  }
  return {
    name: node.name,
    service: node.service,
    proxy,
    kill: () => killServer(node.dir),
    async stop() {
      await stopServer(node.dir, 20_000)
    },
    async start() {
      // What a killed server leaves of its ports is not free at once.
      for (let tries = 1; ; tries++) {
        try {
          return await startNode(settings, node, quiet, AbortSignal.timeout(400_000))
        } catch (error) {
          if (!(error instanceof PortTaken) || tries === 40) throw error
          await sleep(250)
        }
      }
    },
    pause: () => tell('SIGSTOP'),
    resume: () => tell('SIGCONT'),
  }
}
