import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/**
 * The schemas that kubeconform reads, from what Kubernetes itself tells of its objects. `make chart-tools` makes them from its Go types;
 * those of one cluster, with all that it has, are made so:
 *
 *   kubectl get --raw /openapi/v2 >kubernetes.json; kubectl get crd -o json >crds.json
 *   node k8s/chart/schemas.ts FOLDER 1.37.0 kubernetes.json crds.json
 *   KUBECONFORM_SCHEMAS='FOLDER/{{ .NormalizedKubernetesVersion }}/{{ .ResourceKind }}{{ .KindSuffix }}.json' make chart-check
 *
 * Kubernetes' sources have the first file as api/openapi-spec/swagger.json. Unknown fields and null are faults, as `kubectl
 * --validate=strict` has it.
 */
type Schema = Readonly<Record<string, unknown>>

const object = z.record(z.string(), z.unknown())
const kinds = z.array(z.object({ group: z.string(), version: z.string(), kind: z.string() }))
const openapi = z.object({ definitions: z.record(z.string(), object) })
const crds = z.object({
  items: z.array(
    z.object({
      spec: z.object({
        group: z.string(),
        names: z.object({ kind: z.string() }),
        versions: z.array(z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: object }) })),
      }),
    }),
  ),
})

/** One schema of Kubernetes as JSON Schema: closed where it lists its fields, and what is a number or text is either. */
export function closed(schema: Schema): Schema {
  // Of the two only a quantity has a pattern, and `cpu: 0.5` is one.
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return { type: [schema.pattern ? 'number' : 'integer', 'string'] }
  const open = 'additionalProperties' in schema || schema['x-kubernetes-preserve-unknown-fields'] === true
  const children = Object.entries(schema).map(([name, value]) => [name, below(name, value)])
  return { ...Object.fromEntries(children), ...('properties' in schema && !open && { additionalProperties: false }) }
}

function below(name: string, value: unknown): unknown {
  if (name === 'properties')
    return Object.fromEntries(
      Object.entries(object.parse(value)).map(([field, one]) => [field, closed(object.parse(one))]),
    )
  const child = name === 'items' || name === 'additionalProperties' ? object.safeParse(value) : undefined
  return child?.success ? closed(child.data) : value
}

const text = { type: 'string' }
const texts = { type: 'object', additionalProperties: text }

/** What an author may say of any object. A definition of a custom resource leaves it to Kubernetes to know. */
const metadata = {
  type: 'object',
  properties: {
    ...{ name: text, generateName: text, namespace: text, labels: texts, annotations: texts },
    finalizers: { type: 'array', items: text },
  },
}

function withMetadata(schema: Schema): Schema {
  const properties = object.safeParse(schema.properties).data
  return properties?.metadata ? { ...schema, properties: { ...properties, metadata } } : schema
}

/** Group and version of kinds whose Go package names neither; all others of that sort are the core's. */
const unnamed: Readonly<Record<string, readonly [string, string]>> = {
  ...{ DaemonSet: ['apps', 'v1'], Deployment: ['apps', 'v1'], ReplicaSet: ['apps', 'v1'], StatefulSet: ['apps', 'v1'] },
  ...{ CronJob: ['batch', 'v1'], Job: ['batch', 'v1'] },
  HorizontalPodAutoscaler: ['autoscaling', 'v2'],
  PodDisruptionBudget: ['policy', 'v1'],
}

/** The file kubeconform looks for: `deployment-apps-v1.json`, `service-v1.json`. */
export function fileOf({ group, version, kind }: { group: string; version: string; kind: string }): string {
  return `${[kind.toLowerCase(), ...(group ? [group.split('.')[0]] : []), version].join('-')}.json`
}

/** Files by name from one document: an OpenAPI v2 document, or a list of CustomResourceDefinitions. Throws if it is neither. */
export function schemasOf(document: unknown): ReadonlyMap<string, Schema> {
  const files = new Map<string, Schema>()
  const list = crds.safeParse(document)
  if (list.success) {
    for (const { spec } of list.data.items)
      for (const { name, schema } of spec.versions) {
        const { kind } = spec.names
        const [group, version] = spec.group || name ? [spec.group, name || 'v1'] : (unnamed[kind] ?? ['', 'v1'])
        files.set(fileOf({ group, version, kind }), closed(withMetadata(schema.openAPIV3Schema)))
      }
    return files
  }
  const definitions = Object.fromEntries(
    Object.entries(openapi.parse(document).definitions).map(([name, schema]) => [
      name,
      name.endsWith('.resource.Quantity') ? { type: ['number', 'string'] } : closed(schema),
    ]),
  )
  for (const [name, schema] of Object.entries(definitions))
    for (const kind of kinds.safeParse(schema['x-kubernetes-group-version-kind']).data ?? [])
      files.set(fileOf(kind), { $ref: `#/definitions/${name}`, definitions: reachable(name, definitions) })
  return files
}

function reachable(name: string, definitions: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const found: Record<string, Schema> = {}
  const open = [name]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const schema = definitions[next]
    if (!schema || found[next]) continue
    found[next] = schema
    open.push(...Array.from(JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g), ([, to = '']) => to))
  }
  return found
}

/** Writes the schemas of all documents into a folder, which it makes. Throws if a document is of neither sort. */
export function writeSchemas(folder: string, documents: readonly unknown[]): void {
  mkdirSync(folder, { recursive: true })
  for (const document of documents)
    for (const [file, schema] of schemasOf(document)) writeFileSync(join(folder, file), JSON.stringify(schema))
}

if (import.meta.main) {
  const [folder, version, ...documents] = process.argv.slice(2)
  if (!folder || !version || documents.length === 0) {
    process.stderr.write('node k8s/chart/schemas.ts FOLDER KUBERNETES_VERSION DOCUMENT.json…\n')
    process.exit(64)
  }
  writeSchemas(
    join(folder, `v${version}`),
    documents.map((document) => JSON.parse(readFileSync(document, 'utf8'))),
  )
}
