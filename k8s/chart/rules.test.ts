import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMetrics } from '../../shared/observability/index.ts'
import { dashboards } from './dashboards/index.ts'
import { panelsOf } from './dashboards/panels.ts'
import { root } from './generated.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const rules = ['fleet', 'autoscaling', 'alerts'].map((file) => read(`helm/rules/${file}.yaml`)).join('\n')
const alerts = Array.from(rules.matchAll(/- alert: (\w+)/g), ([, name = '']) => name)
const records = Array.from(rules.matchAll(/- record: (\S+)/g), ([, name = '']) => name)
const bounds = ['partitions', 'minimum', 'maximum', 'catch_up_seconds', 'assumed_capacity', 'cores', 'deployment'].map(
  (name) => `tidemark:bounds:${name}`,
)
const expressions = dashboards.flatMap(panelsOf).flatMap(({ targets }) => targets.map(({ expr }) => expr))

describe('rules and dashboards', () => {
  test('are evaluated so often that their windows hold enough, whatever Prometheus is set to', () => {
    const seconds = Array.from(
      rules.matchAll(/ {2}- name: tidemark\.\w+\n(?: {4}#.*\n)* {4}interval: (\d+)s\n/g),
      ([, one]) => Number(one),
    )
    expect(seconds).toHaveLength(rules.match(/- name: tidemark\./g)?.length ?? 0)
    expect(Math.max(...seconds)).toBeLessThanOrEqual(15)
  })

  test('use only metrics that workers have', async () => {
    const exported = Array.from((await createMetrics().text()).matchAll(/^# TYPE (\S+)/gm), ([, name = '']) => name)
    const used = new Set([rules, ...expressions].join('\n').match(/\b(?:tidemark_[a-z0-9_]+|process_[a-z_]+_total)\b/g))
    expect(used.size).toBeGreaterThan(10)
    expect([...used].filter((name) => !exported.includes(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([])
  })

  test('use only records that a rule makes', () => {
    const used = new Set([rules, ...expressions].join('\n').match(/\btidemark:[a-z0-9_]+:[a-z0-9_]+\b/g))
    expect([...used].filter((name) => !records.includes(name) && !bounds.includes(name))).toEqual([])
  })

  test('give every alert a runbook and a test, and no runbook is of an alert that is gone', () => {
    const tested = read('helm/rules/tests/alerts.yaml')
    expect(alerts.length).toBeGreaterThan(8)
    expect(alerts.filter((name) => !tested.includes(`alertname: ${name}\n`))).toEqual([])
    expect(alerts.filter((name) => !existsSync(join(root, `helm/runbooks/${name}.md`)))).toEqual([])
    expect(readdirSync(join(root, 'helm/runbooks')).sort()).toEqual(alerts.map((name) => `${name}.md`).sort())
  })
})
