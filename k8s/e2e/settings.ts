/** Where the cluster tests find what they need. The cluster is the one that kubectl finds (KUBECONFIG). */
export interface ClusterSettings {
  /** The image under test, `repository:tag`; the nodes must be able to get it. */
  readonly image: { readonly repository: string; readonly tag: string }
  /** As pods reach them, without TLS and credentials. Nobody else may use `carts` and `inventory` there. */
  readonly kafka: readonly string[]
  readonly cassandra: readonly string[]
  readonly datacenter: string
  /** Keeps its rows from run to run, as the topics keep their events. */
  readonly keyspace: string
  /** Is made, and removed at the end. */
  readonly namespace: string
  /** A shell command that kills a worker with SIGKILL from outside; POD and NAMESPACE are in its environment. */
  readonly kill: string | undefined
  /** A chart to upgrade from; unset: the one before the last change of `helm/`, from git. */
  readonly previousChart: string | undefined
  /** Prometheus that the tests install for themselves. */
  readonly prometheusImage: string
}

const REQUIRED = {
  E2E_IMAGE: 'the image under test, as registry.example/tidemark:dev',
  E2E_KAFKA: 'brokers as pods reach them, as kafka.kafka:9092',
  E2E_CASSANDRA: 'contact points as pods reach them, as cassandra.cassandra',
} as const

/** Reads the settings. Throws one error that names every variable that is missing or wrong. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): ClusterSettings {
  const faults = Object.entries(REQUIRED).flatMap(([name, what]) => (env[name] ? [] : [`${name} is not set: ${what}`]))
  const [, repository = '', tag = ''] = /^(.+):([^:/]+)$/.exec(env.E2E_IMAGE ?? '') ?? []
  if (env.E2E_IMAGE && !tag) faults.push(`E2E_IMAGE must be repository:tag, not ${env.E2E_IMAGE}`)
  if (faults.length > 0) throw new Error(`the cluster tests need to know more:\n  - ${faults.join('\n  - ')}`)
  const list = (text = '') => text.split(',').filter(Boolean)
  return {
    image: { repository, tag },
    kafka: list(env.E2E_KAFKA),
    cassandra: list(env.E2E_CASSANDRA),
    datacenter: env.E2E_DATACENTER || 'dc1',
    keyspace: env.E2E_KEYSPACE || 'tidemark',
    namespace: env.E2E_NAMESPACE || 'tidemark-e2e',
    kill: env.E2E_KILL || undefined,
    previousChart: env.E2E_PREVIOUS_CHART || undefined,
    prometheusImage: env.E2E_PROMETHEUS_IMAGE || 'docker.io/prom/prometheus:v3.14.0',
  }
}
