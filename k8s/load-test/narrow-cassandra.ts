import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../e2e/cluster.ts'
import { CONFINED, NOBODY } from '../e2e/command.ts'
import type { ClusterSettings } from '../e2e/settings.ts'

const NAME = 'narrow-cassandra'
const PORT = 9042

/**
 * Puts a bottleneck of so many bytes a second before a Cassandra of one node, and resolves with its address once it is open. A
 * cluster of several nodes would be reached past it, since a driver asks the first where the others are.
 */
export async function narrowCassandra(
  cluster: Cluster,
  { image, cassandra: [host = ''] }: Pick<ClusterSettings, 'image' | 'cassandra'>,
  bytesPerSecond: number,
): Promise<string> {
  const labels = { app: NAME }
  const program = readFileSync(join(import.meta.dirname, 'narrow.mjs'), 'utf8')
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME }, data: { 'narrow.mjs': program } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME },
      spec: { selector: labels, ports: [{ name: 'cql', port: PORT }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAME },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            securityContext: NOBODY,
            containers: [
              {
                name: NAME,
                image: `${image.repository}:${image.tag}`,
                command: ['node', '/program/narrow.mjs', host, String(PORT), String(bytesPerSecond)],
                ports: [{ name: 'cql', containerPort: PORT }],
                readinessProbe: { tcpSocket: { port: 'cql' }, periodSeconds: 2 },
                resources: { requests: { cpu: '20m', memory: '48Mi' }, limits: { memory: '128Mi' } },
                securityContext: CONFINED,
                volumeMounts: [{ name: 'program', mountPath: '/program', readOnly: true }],
              },
            ],
            volumes: [{ name: 'program', configMap: { name: NAME } }],
          },
        },
      },
    },
  ]
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items: objects })
  await cluster.kubectl('rollout', 'status', `deployment/${NAME}`, '--timeout', '120s')
  return cluster.kubectl('get', 'service', NAME, '--output', 'jsonpath={.spec.clusterIP}')
}
