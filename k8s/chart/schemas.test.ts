import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { root } from './generated.ts'
import { closed, fileOf, schemasOf } from './schemas.ts'
import { documentedValues } from './values-table.ts'

describe('the schemas for kubeconform', () => {
  test('are closed where fields are listed, and open where Kubernetes says so', () => {
    const spec = {
      properties: {
        port: { type: 'string', format: 'int-or-string' },
        list: { type: 'array', items: { properties: { a: { type: 'string' } } } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        free: { properties: { a: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
      },
    }
    expect(closed(spec)).toEqual({
      additionalProperties: false,
      properties: {
        port: { type: ['integer', 'string'] },
        list: { type: 'array', items: { properties: { a: { type: 'string' } }, additionalProperties: false } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        free: { properties: { a: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
      },
    })
  })

  test('a field that is called properties is a field', () => {
    expect(closed({ properties: { properties: { type: 'object', properties: { a: { type: 'string' } } } } })).toEqual({
      additionalProperties: false,
      properties: {
        properties: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
      },
    })
  })

  test('bring along what they refer to, and nothing else', () => {
    const files = schemasOf({
      definitions: {
        pod: {
          properties: {
            cpu: { $ref: '#/definitions/io.k8s.api.resource.Quantity' },
            next: { $ref: '#/definitions/pod' },
          },
          'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
        },
        'io.k8s.api.resource.Quantity': { type: 'string' },
        other: { type: 'object' },
      },
    })
    expect([...files.keys()]).toEqual(['pod-v1.json'])
    expect(
      Object.keys(z.object({ definitions: z.object({}).loose() }).parse(files.get('pod-v1.json')).definitions),
    ).toEqual(['pod', 'io.k8s.api.resource.Quantity'])
  })

  test('are named as kubeconform looks for them', () => {
    expect(fileOf({ group: 'keda.sh', version: 'v1alpha1', kind: 'ScaledObject' })).toBe(
      'scaledobject-keda-v1alpha1.json',
    )
    const file = (group: string, name: string, kind: string) => {
      const versions = [{ name, schema: { openAPIV3Schema: { type: 'object' } } }]
      return [...schemasOf({ items: [{ spec: { group, names: { kind }, versions } }] }).keys()]
    }
    expect(file('monitoring.coreos.com', 'v1', 'PodMonitor')).toEqual(['podmonitor-monitoring-v1.json'])
    // So controller-gen has it of Go packages that don't name their group.
    expect(file('', '', 'HorizontalPodAutoscaler')).toEqual(['horizontalpodautoscaler-autoscaling-v2.json'])
    expect(file('', '', 'ConfigMap')).toEqual(['configmap-v1.json'])
  })

  test('know the metadata of an object, which no custom resource definition tells', () => {
    const openAPIV3Schema = { properties: { metadata: { type: 'object' } } }
    const spec = { group: 'a.b', names: { kind: 'C' }, versions: [{ name: 'v1', schema: { openAPIV3Schema } }] }
    expect(schemasOf({ items: [{ spec }] }).get('c-a-v1.json')).toMatchObject({
      properties: { metadata: { properties: { name: { type: 'string' } }, additionalProperties: false } },
    })
  })

  test('a quantity may be a fraction, a port not', () => {
    expect(closed({ 'x-kubernetes-int-or-string': true, pattern: '^' })).toEqual({ type: ['number', 'string'] })
    expect(closed({ 'x-kubernetes-int-or-string': true })).toEqual({ type: ['integer', 'string'] })
  })
})

describe("the schema of the chart's values", () => {
  const node = z.record(z.string(), z.unknown())
  const schema = node.parse(JSON.parse(readFileSync(join(root, 'helm/values.schema.json'), 'utf8')))
  const documented = documentedValues(readFileSync(join(root, 'helm/values.yaml'), 'utf8')).map(({ path }) => path)

  function resolved(at: unknown): Record<string, unknown> {
    const { $ref, allOf, ...own } = node.parse(at)
    const referred =
      typeof $ref === 'string'
        ? $ref
            .slice(2)
            .split('/')
            .reduce((up, key) => node.parse(up[key]), schema)
        : {}
    const parts = z.array(z.unknown()).catch([]).parse(allOf).map(resolved)
    return Object.assign({}, ...parts.toReversed(), referred, own)
  }

  /** Paths of all values the schema knows, as far down as values.yaml documents them. */
  function paths(at: unknown, path: string): readonly string[] {
    const { properties } = resolved(at)
    if (documented.includes(path) || properties === undefined) return [path]
    return Object.entries(node.parse(properties)).flatMap(([key, below]) => paths(below, path ? `${path}.${key}` : key))
  }

  test('knows every value that is documented, and no other', () => {
    const known = paths(schema, '').filter((path) => path !== 'global')
    expect(known.toSorted()).toEqual(documented.toSorted())
  })

  test('refuses unknown keys in every object whose keys it lists', () => {
    const open: string[] = []
    const visit = (at: unknown, path: string): void => {
      if (typeof at !== 'object' || at === null) return
      const listing = 'properties' in at && !('additionalProperties' in at) && 'type' in at && !path.includes('allOf')
      if (listing) open.push(path)
      for (const [key, below] of Object.entries(at)) visit(below, `${path}/${key}`)
    }
    visit(schema, '')
    expect(open).toEqual([])
  })
})
