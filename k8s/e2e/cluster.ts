import { program } from './program.ts'

/** What the tests read of an object of the API. */
export interface ClusterObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly replicas?: number }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly ready: boolean }[]
  }
}

/** Marks a namespace of the cluster tests. */
const OURS = 'tidemark-e2e'

/** One namespace of the cluster that kubectl finds. Everything rejects with what kubectl says. */
export class Cluster {
  readonly namespace: string

  constructor(namespace: string) {
    this.namespace = namespace
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return program('kubectl', ['--namespace', this.namespace, ...args])
  }

  /** Objects of a kind (or `a,b`), by labels. */
  async objects(kind: string, selector = ''): Promise<readonly ClusterObject[]> {
    const text = await this.kubectl('get', kind, '--output', 'json', ...(selector ? ['--selector', selector] : []))
    const { items }: { items: readonly ClusterObject[] } = JSON.parse(text)
    return items
  }

  apply(object: object | string): Promise<string> {
    const input = typeof object === 'string' ? object : JSON.stringify(object)
    return program('kubectl', ['--namespace', this.namespace, 'apply', '--filename', '-'], { input })
  }

  /** GET of a path below `/api/v1/namespaces/<namespace>/`, as of a Service's `proxy`. */
  get(path: string): Promise<string> {
    return program('kubectl', ['get', '--raw', this.#path(path)])
  }

  /** POST of JSON to such a path. */
  post(path: string, body: object): Promise<string> {
    const args = ['create', '--raw', this.#path(path), '--filename', '-']
    return program('kubectl', args, { input: JSON.stringify(body) })
  }

  /** An empty namespace in which only pods without any rights may run. Rejects if it exists and is not of an earlier run. */
  async makeNamespace(): Promise<void> {
    await this.removeNamespace()
    const labels = { [OURS]: 'true', 'pod-security.kubernetes.io/enforce': 'restricted' }
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace, labels } })
  }

  /** Everything in it goes with it, so it must be one that such a run has made. */
  async removeNamespace(): Promise<void> {
    const labels = await this.kubectl(
      ...['get', 'namespace', this.namespace, '--ignore-not-found', '--output', 'jsonpath={.metadata.labels}'],
    )
    if (!labels) return
    if (!(OURS in JSON.parse(labels)))
      throw new Error(
        `namespace ${this.namespace} was not made by the cluster tests, which would delete it: name another in E2E_NAMESPACE`,
      )
    await this.kubectl('delete', 'namespace', this.namespace, '--timeout', '120s')
  }

  /** What an engineer looks at first when something is wrong: pods, the latest events, the last lines of each pod that is not ready. */
  async state(): Promise<string> {
    const pods = await this.objects('pods')
    const ill = pods.filter(({ status }) => status?.containerStatuses?.some(({ ready }) => !ready) ?? true)
    const last = ['logs', '--all-containers', '--tail', '20']
    const parts = [
      ['get', 'pods', '--output', 'wide'],
      ['get', 'events', '--sort-by', '.lastTimestamp'],
      ...ill.flatMap(({ metadata: { name } }) => [
        [...last, name],
        [...last, '--previous', name],
      ]),
    ]
    const texts = await Promise.all(parts.map((part) => this.kubectl(...part).catch(() => '')))
    return texts.map((text) => text.split('\n').slice(-40).join('\n')).join('\n')
  }

  #path(path: string): string {
    return `/api/v1/namespaces/${this.namespace}/${path}`
  }
}
