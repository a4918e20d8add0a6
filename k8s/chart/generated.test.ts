import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { settingNames } from '../../shared/config.ts'
import { generated, root } from './generated.ts'
import { manifestsHeader, manifestsPath, withoutHelm } from './render.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('the chart', () => {
  test.each(generated().map(({ path, text }) => [path, text]))('%s is as `make chart-docs` writes it', (path, text) => {
    expect(read(path)).toBe(text)
  })

  test('takes every setting of the product, by name or by a value of its own', () => {
    const schema = z
      .object({ definitions: z.object({ env: z.object({ properties: z.record(z.string(), z.unknown()) }) }) })
      .parse(JSON.parse(read('helm/values.schema.json')))
    const byName = Object.keys(schema.definitions.env.properties)
    const templates = ['_connections.tpl', 'workers.yaml', 'servers.yaml'].map((file) => read(`helm/templates/${file}`))
    const rendered = (name: string) =>
      templates.some((text) => text.includes(name)) || /_TLS_(CA|CERT|KEY)_FILE$/.test(name)
    expect(settingNames.filter((name) => !byName.includes(name) && !rendered(name))).toEqual([])
    expect(byName.filter((name) => !settingNames.includes(name))).toEqual(['NODE_OPTIONS'])
  })

  test('runs every built-in projection', () => {
    const projections = readdirSync(join(root, 'workers/projections')).filter((file) => /^[a-z-]+\.ts$/.test(file))
    const values = read('helm/values.yaml')
    expect(projections.filter((file) => !values.includes(`\n  ${file.slice(0, -3)}: {`))).toEqual([])
  })
})

test('the plain manifests were written from the chart as it is: else `make chart-tools chart-manifests`', () => {
  expect(read(manifestsPath).startsWith(manifestsHeader())).toBe(true)
})

test('the plain manifests are the same from Helm 3 and from Helm 4, and name neither', () => {
  const object = (name: string, end: string) =>
    `---\n# Source: tidemark/templates/${name}.yaml\nkind: Job\nmetadata:\n  labels:\n    app: a\n    helm.sh/chart: tidemark-1\n  annotations:\n    helm.sh/hook: pre-install\nspec: {}\n${end}`
  const three = object('a', '') + object('b', '')
  expect(withoutHelm(object('a', '\n') + object('b', '\n'))).toBe(withoutHelm(three))
  expect(withoutHelm(three)).not.toContain('helm.sh')
  expect(withoutHelm(three)).not.toContain('annotations')
})
