import { describe, expect, test } from 'vitest'
import { grafanaJson } from './grafana.ts'
import { dashboards } from './index.ts'
import { panelsOf, placed } from './panels.ts'

/** The rules of Grafana's dashboard linter that matter to whoever reads a dashboard, as sentences about what breaks them. */
describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_, dashboard) => {
  const panels = panelsOf(dashboard)
  const json = grafanaJson(dashboard)

  test('has titles, descriptions and units', () => {
    expect(
      panels.filter(({ title, description, fieldConfig }) => !title || !description || !fieldConfig.defaults.unit),
    ).toEqual([])
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  })

  test('has every panel that is declared, each with an id of its own', () => {
    const all = placed(dashboard)
    expect(panels.length).toBe(dashboard.rows.reduce((sum, row) => sum + row.panels.length, 0))
    expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1))
  })

  test('is the same however often it is written', () => {
    expect(grafanaJson(dashboard)).toBe(json)
  })

  test('takes its data source from a variable and can not be edited by accident', () => {
    expect(json).not.toMatch(/"uid": "(?!\$datasource|tidemark-)/)
    expect(json).toContain('"editable": false')
  })

  test('chooses by namespace, projection and version in every query', () => {
    const blind = panels
      .flatMap(({ targets }) => targets)
      .filter(({ expr }) => !expr.includes('namespace=~"$namespace"'))
    expect(blind).toEqual([])
  })

  test('rates over the window that fits the resolution', () => {
    const fixed = panels
      .flatMap(({ targets }) => targets)
      .filter(({ expr }) => /\brate\([^)]*\[(?!\$__rate_interval)/.test(expr))
    expect(fixed).toEqual([])
  })

  test('names the queries of a panel differently', () => {
    const alike = panels.filter(({ targets }) => new Set(targets.map(({ refId }) => refId)).size < targets.length)
    expect(alike).toEqual([])
  })

  test('keeps namespaces apart wherever it keeps projections apart', () => {
    const mixed = panels
      .flatMap(({ targets }) => targets)
      .filter(({ expr, legendFormat = '' }) =>
        [...(expr.match(/\bby \([^)]*\)/g) ?? []), legendFormat].some(
          (by) => by.includes('projection') && !by.includes('namespace'),
        ),
      )
    expect(mixed).toEqual([])
  })

  test('names every column of a table, with a unit of its own', () => {
    for (const { targets, transformations, fieldConfig } of panels.filter(({ type }) => type === 'table')) {
      const names = transformations?.find(({ id }) => id === 'organize')?.options.renameByName ?? {}
      // With one query Grafana calls its column `Value`, with several `Value #A` and so on.
      const values = targets.length === 1 ? ['Value'] : targets.map(({ refId }) => `Value #${refId}`)
      const withUnit = fieldConfig.overrides
        .filter(({ properties }) => properties.some(({ id }) => id === 'unit'))
        .map(({ matcher }) => matcher.options)
      expect(values.filter((value) => !withUnit.includes(names[value]))).toEqual([])
    }
  })

  test('names the lines of every graph', () => {
    const nameless = panels.filter(
      ({ type, targets }) => type === 'timeseries' && targets.some(({ legendFormat }) => !legendFormat),
    )
    expect(nameless).toEqual([])
  })

  test('lays panels out without overlap, within 24 columns', () => {
    const taken = new Set<string>()
    for (const { gridPos } of placed(dashboard)) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false)
          taken.add(`${x},${y}`)
        }
    }
  })
})
