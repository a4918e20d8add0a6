import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { program } from './program.ts'
import type { ClusterSettings } from './settings.ts'

export const ROOT = join(import.meta.dirname, '../..')
export const CHART = join(ROOT, 'helm')
const NAME = 'tidemark'
/** Every object of the release. */
export const RELEASED = `app.kubernetes.io/instance=${NAME}`
const PATIENCE = '300s'

/** How many events a second, for how long, and which way. */
export interface Load {
  readonly rate: number
  readonly seconds: number
  readonly via?: 'kafka' | 'gateway'
  /** How much more popular the popular products are. */
  readonly skew?: number
}

/** The chart as it is installed under test, and its load generator. */
export class Release {
  readonly #cluster: Cluster
  readonly #values: readonly string[]
  readonly #server: readonly string[]
  readonly #changes: string[] = []
  #loads = 0

  constructor(cluster: Cluster, { image, kafka, cassandra, datacenter, keyspace }: ClusterSettings, values: string) {
    this.#cluster = cluster
    this.#values = ['--values', values]
    this.#server = [
      ...['--set', `image.repository=${image.repository}`, '--set-string', `image.tag=${image.tag}`],
      ...['--set', `kafka.brokers={${kafka.join(',')}}`, '--set', `cassandra.contactPoints={${cassandra.join(',')}}`],
      ...['--set', `cassandra.localDatacenter=${datacenter}`, '--set', `cassandra.keyspace=${keyspace}`],
    ]
  }

  /**
   * Installs the chart, or upgrades to it. `more` is for helm, as `['--set', 'gateway.replicas=1']`, and holds until the release is
   * uninstalled. Resolves when all pods are ready.
   */
  async install(more: readonly string[] = [], chart = CHART): Promise<void> {
    this.#changes.push(...more)
    await this.#helm(
      'upgrade',
      '--install',
      NAME,
      chart,
      ...this.#values,
      ...this.#server,
      ...this.#changes,
      '--wait',
      '--timeout',
      PATIENCE,
    )
  }

  /** The checks that the chart brings along; what Helm says of them, which succeeds where there are none. */
  test(): Promise<string> {
    return this.#helm('test', NAME, '--timeout', PATIENCE)
  }

  async uninstall(): Promise<void> {
    this.#changes.length = 0
    await this.#helm('uninstall', NAME, '--wait', '--ignore-not-found', '--timeout', PATIENCE)
  }

  /** Starts the chart's load generator as a Job of its own; what it gives resolves when all is published, with what it said. */
  async load({ rate, seconds, via = 'kafka', skew }: Load): Promise<{ readonly published: () => Promise<string> }> {
    this.#loads += 1
    const seed = Math.floor(Date.now() / 1_000) * 10 + this.#loads
    const extra = ['--seed', String(seed), ...(skew === undefined ? [] : ['--skew', String(skew)])]
    const { serverVersion }: { serverVersion: { gitVersion: string } } = JSON.parse(
      await this.#cluster.kubectl('version', '--output', 'json'),
    )
    const job = await this.#helm(
      'template',
      '--kube-version',
      serverVersion.gitVersion,
      NAME,
      CHART,
      ...this.#values,
      ...this.#server,
      '--show-only',
      'templates/loadgen.yaml',
      '--set',
      `loadgen.enabled=true,loadgen.rate=${rate},loadgen.duration=${seconds}s,loadgen.via=${via}`,
      '--set-json',
      `loadgen.extraArgs=${JSON.stringify(extra)}`,
    )
    const [, name = ''] = /^ {2}name: (\S+)$/m.exec(job) ?? []
    await this.#cluster.apply(job)
    const published = async () => {
      await this.#cluster.kubectl(
        'wait',
        `job/${name}`,
        '--for',
        'condition=complete',
        '--timeout',
        `${seconds + 120}s`,
      )
      const said = await this.#cluster.kubectl('logs', `job/${name}`)
      await this.#cluster.kubectl('delete', 'job', name)
      return said.trim().split('\n').at(-1) ?? ''
    }
    return { published }
  }

  #helm(...args: readonly string[]): Promise<string> {
    return program('helm', [...args, '--namespace', this.#cluster.namespace])
  }
}

/** The chart to upgrade from: what git had before the last change of `helm/`. Rejects where there is no history. */
export async function previousChart(): Promise<{ readonly path: string; readonly remove: () => void }> {
  const git = (...args: string[]) => program('git', ['-C', ROOT, ...args])
  const [, before] = (await git('log', '-2', '--format=%H', '--', 'helm')).trim().split('\n')
  if (!before) throw new Error('git knows no earlier chart: name one in E2E_PREVIOUS_CHART')
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-chart-'))
  await program('sh', ['-c', 'git -C "$0" archive "$1" helm | tar -x -C "$2"', ROOT, before, folder])
  return { path: join(folder, 'helm'), remove: () => rmSync(folder, { recursive: true }) }
}
