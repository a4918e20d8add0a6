import type { Cluster } from './cluster.ts'
import { until } from './patience.ts'
import type { ClusterSettings } from './settings.ts'

/** What a pod and its container must say of themselves where only pods without any rights may run. */
export const NOBODY = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  seccompProfile: { type: 'RuntimeDefault' },
}
export const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
const PATIENCE_SECONDS = 300

/** What a `tidemark` command said, and how it ended. */
export interface Said {
  readonly ok: boolean
  readonly text: string
}

/** Runs one `tidemark` command to its end in a pod of its own, which belongs to no fleet and no Service. */
export async function command(
  cluster: Cluster,
  { image, kafka, cassandra, datacenter, keyspace }: ClusterSettings,
  args: readonly string[],
  /** A ConfigMap with projections. */
  projections?: string,
): Promise<Said> {
  const name = `command-${Math.random().toString(36).slice(2, 10)}`
  const env = {
    KAFKA_BROKERS: kafka.join(','),
    CASSANDRA_CONTACT_POINTS: cassandra.join(','),
    CASSANDRA_LOCAL_DATACENTER: datacenter,
    CASSANDRA_KEYSPACE: keyspace,
    ...(projections && { TIDEMARK_PROJECTIONS: '/projections' }),
  }
  const container = {
    name: 'tidemark',
    image: `${image.repository}:${image.tag}`,
    args,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    securityContext: CONFINED,
    ...(projections && { volumeMounts: [{ name: 'projections', mountPath: '/projections', readOnly: true }] }),
  }
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'tidemark-command' } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: NOBODY,
      containers: [container],
      ...(projections && { volumes: [{ name: 'projections', configMap: { name: projections } }] }),
    },
  })
  const phase = await until(`${args.join(' ')} has ended`, PATIENCE_SECONDS, async () => {
    const now = await cluster.kubectl('get', 'pod', name, '--output', 'jsonpath={.status.phase}')
    return /^(Succeeded|Failed)$/.test(now) && now
  })
  const text = await cluster.kubectl('logs', name)
  await cluster.kubectl('delete', 'pod', name, '--wait=false')
  return { ok: phase === 'Succeeded', text }
}
