import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inGoModule } from './go-module.ts'
import { kubernetesVersions } from './render.ts'
import { writeSchemas } from './schemas.ts'
import { type GoModule, type Outcome, run, toolFolder } from './tools.ts'

/** Go types that become schemas, and the folder for them: a version of Kubernetes, or what others bring to every version. */
export interface SchemaSource extends GoModule {
  readonly packages: readonly string[]
  readonly folder: string
}

const kubernetes = kubernetesVersions.map((version) => ({
  module: 'k8s.io/api',
  version: version.replace(/^1/, 'v0'),
  packages: ['core/v1', 'apps/v1', 'batch/v1', 'autoscaling/v2', 'networking/v1', 'policy/v1', 'rbac/v1'],
  folder: `v${version}`,
}))

const brought = [
  { module: 'github.com/kedacore/keda/v2', version: 'v2.21.0', packages: ['apis/keda/v1alpha1'] },
  {
    module: 'github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring',
    version: 'v0.95.1',
    packages: ['v1'],
  },
  { module: 'sigs.k8s.io/gateway-api', version: 'v1.6.3', packages: ['apis/v1'] },
].map((source) => ({ ...source, folder: `${source.module.split('/').slice(0, 3).at(-1)}-${source.version}` }))

export const schemaSources: readonly SchemaSource[] = [...kubernetes, ...brought]

/** Another way of making them is another folder. */
const way = createHash('sha256')
for (const name of ['schemas.ts', 'schema-sources.ts']) way.update(readFileSync(join(import.meta.dirname, name)))
const schemaFolder = join(toolFolder, `schemas-${way.digest('hex').slice(0, 8)}`)
const file = '{{ .ResourceKind }}{{ .KindSuffix }}.json'

/** Where kubeconform finds the schemas that `make chart-tools` made; undefined unless all of this version's are there. */
export function madeSchemas(version: string): readonly string[] | undefined {
  const folders = [`v${version}`, ...brought.map(({ folder }) => folder)].map((folder) => join(schemaFolder, folder))
  return folders.every((folder) => existsSync(folder)) ? folders.map((folder) => join(folder, file)) : undefined
}

/** True once a source's schemas are made. */
export function isMade({ folder }: SchemaSource): boolean {
  return existsSync(join(schemaFolder, folder))
}

/**
 * Makes a source's schemas: controller-gen turns the Go types into custom resource definitions, as it does for those who publish such,
 * and Helm reads their YAML. All of them are there afterwards, or none.
 */
export function makeSchemas(source: SchemaSource, controllerGen: string, helm: string): Outcome {
  const work = mkdtempSync(join(tmpdir(), 'tidemark-schemas-'))
  try {
    const generated = inGoModule(source, controllerGen, [
      'crd:generateEmbeddedObjectMeta=true,allowDangerousTypes=true,maxDescLen=0',
      ...source.packages.map((name) => `paths=${source.module}/${name}`),
      `output:crd:dir=${join(work, 'made')}`,
    ])
    if (!generated.ok) return generated
    const list = readByHelm(helm, work)
    if (!list.ok) return list
    const schemas = join(work, 'schemas')
    writeSchemas(schemas, [JSON.parse(list.stdout.slice(list.stdout.indexOf('{')))])
    mkdirSync(schemaFolder, { recursive: true })
    // Copied beside its place first: a rename within one file system is all or nothing.
    const beside = mkdtempSync(join(schemaFolder, '.new-'))
    cpSync(schemas, beside, { recursive: true })
    renameSync(beside, join(schemaFolder, source.folder))
    return generated
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Node reads no YAML and Helm does, so a chart prints what lies in its folder `made`. */
function readByHelm(helm: string, folder: string): Outcome {
  writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: made\nversion: 0.0.0\n')
  mkdirSync(join(folder, 'templates'))
  const template = [
    '{{- $items := list -}}',
    '{{- range $path, $_ := .Files.Glob "made/*.yaml" -}}',
    '{{- $items = append $items ($.Files.Get $path | fromYaml) -}}',
    '{{- end -}}',
    '{{ dict "apiVersion" "v1" "kind" "List" "items" $items | toJson }}',
  ]
  writeFileSync(join(folder, 'templates/list.yaml'), template.join('\n'))
  return run(helm, ['template', 'made', folder])
}
