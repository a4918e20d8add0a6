import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/**
 * Writes the schemas that kubeconform reads, from what Kubernetes itself tells of its objects, for machines that can't fetch them:
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
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true)
    return { type: ['integer', 'string'] }
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
      for (const { name, schema } of spec.versions)
        files.set(fileOf({ group: spec.group, version: name, kind: spec.names.kind }), closed(schema.openAPIV3Schema))
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

if (import.meta.main) {
  const [folder, version, ...documents] = process.argv.slice(2)
  if (!folder || !version || documents.length === 0) {
    process.stderr.write('node k8s/chart/schemas.ts FOLDER KUBERNETES_VERSION DOCUMENT.json…\n')
    process.exit(64)
  }
  const into = join(folder, `v${version}`)
  mkdirSync(into, { recursive: true })
  for (const document of documents)
    for (const [file, schema] of schemasOf(JSON.parse(readFileSync(document, 'utf8'))))
      writeFileSync(join(into, file), JSON.stringify(schema))
}
