import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './generated.ts'
import { type Outcome, run } from './tools.ts'

export const chart = join(root, 'helm')

/** Every minor of Kubernetes that the chart is for, the oldest first. */
export const kubernetesVersions = [30, 31, 32, 33, 34, 35, 36, 37].map((minor) => `1.${minor}.0`)
export const newest = kubernetesVersions.at(-1) ?? ''

/** The value sets that everything is checked with: the chart's own, and that of the local cluster. */
export const valueFiles: readonly string[] = [
  ...readdirSync(join(chart, 'ci'))
    .filter((file) => file.endsWith('-values.yaml'))
    .sort()
    .map((file) => join(chart, 'ci', file)),
  join(root, 'k8s/dev/kind-values.yaml'),
]

/** Objects that no chart makes, from the repository's root: they are held against the same schemas. */
export const plainFiles: readonly string[] = [
  'k8s/manifests/tidemark.yaml',
  'k8s/dev/kind-servers.yaml',
  'k8s/dev/kind-grafana.yaml',
  'k8s/e2e/prometheus.yaml',
].map((file) => join(root, file))

/** What `helm template` makes of a value file, for one version of Kubernetes. */
export function rendered(helm: string, values: string, kubernetes: string, ...more: string[]): Outcome {
  return run(helm, [
    'template',
    'tidemark',
    chart,
    '--namespace',
    'tidemark',
    '--kube-version',
    kubernetes,
    '-f',
    values,
    ...more,
  ])
}

export const manifestsPath = 'k8s/manifests/tidemark.yaml'

/** The plain manifests: the chart's objects, without what only Helm would read. */
export function manifests(helm: string): Outcome {
  const made = rendered(helm, join(root, 'k8s/manifests/values.yaml'), newest, '--skip-tests')
  return { ...made, stdout: `${manifestsHeader()}${withoutHelm(made.stdout)}` }
}

/** The first line of the plain manifests. It tells what they were written from, so that drift shows on machines without Helm. */
export function manifestsHeader(): string {
  const digest = createHash('sha256')
  for (const path of [...manifestSources(), 'k8s/manifests/values.yaml']) {
    const text = readFileSync(join(root, path), 'utf8')
    // A comment on a value changes no object.
    digest.update(`${path}\0${path.endsWith('values.yaml') ? text.replaceAll(/^ *#.*\n/gm, '') : text}\0`)
  }
  const content = digest.digest('hex').slice(0, 16)
  return `# Written by \`make chart-manifests\` from k8s/manifests/values.yaml. Content of the chart: ${content}\n`
}

/** The chart's files that an object can come from. */
function manifestSources(): readonly string[] {
  return readdirSync(chart, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) =>
      /^helm\/((templates|rules|dashboards)\/[^/]+|(Chart|values)\.yaml|values\.schema\.json)$/.test(path),
    )
    .sort()
}

/** What `helm template` printed, without its own labels and annotations, and the same whether Helm 3 or 4 printed it. */
export function withoutHelm(text: string): string {
  const lines = text.split('\n').filter((line) => !/^ +(helm\.sh\/|app\.kubernetes\.io\/managed-by:)/.test(line))
  // An `annotations:` whose entries all went would be left with nothing below it.
  const kept = lines.filter((line, index) => {
    const below = lines[index + 1] ?? ''
    return !/^ +annotations:$/.test(line) || /^ */.exec(below)![0].length > /^ */.exec(line)![0].length
  })
  // Helm 4 ends each object with an empty line, Helm 3 doesn't.
  const plain = kept
    .join('\n')
    .replaceAll(/\n+(?=\n---\n)/g, '')
    .trimEnd()
  return `${plain}\n`
}

/** The rule file inside a rendered ConfigMap of rules. Throws if there is none. */
export function ruleFile(text: string): string {
  const [, block] = /\n {2}tidemark\.yaml: \|\n((?: {4}.*\n|\n)+)/.exec(text) ?? []
  if (block === undefined)
    throw new Error('there is no ConfigMap with tidemark.yaml: is monitoring.rules.type configMap?')
  return block.replaceAll(/^ {4}/gm, '')
}
