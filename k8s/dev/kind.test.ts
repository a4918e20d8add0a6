import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const files = ['k8s/dev/kind.yaml', 'k8s/dev/kind-servers.yaml', 'k8s/dev/kind-grafana.yaml', 'k8s/e2e/prometheus.yaml']
const imagesOf = (path: string) =>
  Array.from(read(path).matchAll(/\bimage: '?([^\s'}]+)/g), ([, image = '']) => image.replace(/^docker\.io\//, ''))

test('every image of the local cluster names its version', () => {
  const images = files.flatMap(imagesOf)
  expect(images.length).toBeGreaterThan(4)
  expect(images.filter((image) => !/:v?\d+\.\d+\.\d+$/.test(image))).toEqual([])
})

test('Kafka and Cassandra are those of the local stack', () => {
  const stack = imagesOf('k8s/dev/compose.yaml')
  const cluster = imagesOf('k8s/dev/kind-servers.yaml').map((image) => image.replace(/^library\//, ''))
  expect(cluster.filter((image) => !stack.includes(image))).toEqual([])
})

test('kind and minikube run the same Kubernetes', () => {
  const [, version] = /kubernetes=(v\S+)/.exec(read('k8s/dev/kind-up.sh')) ?? []
  expect(imagesOf('k8s/dev/kind.yaml')).toEqual([`kindest/node:${version}`, `kindest/node:${version}`])
})

test('Grafana shows every dashboard of the chart', () => {
  const grafana = read('k8s/dev/kind-grafana.yaml')
  const missing = readdirSync(join(root, 'helm/dashboards'))
    .map((file) => `tidemark-dashboard-${file.replace('.json', '')}`)
    .filter((name) => !grafana.includes(`name: ${name},`))
  expect(missing).toEqual([])
})
