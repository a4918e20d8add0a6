import { describe, expect, test } from 'vitest'
import { grafanaJson } from './grafana.ts'
import { dashboards } from './index.ts'

/** The rules of Grafana's dashboard linter that matter to whoever reads a dashboard, as sentences about what breaks them. */
describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_, dashboard) => {
  const panels = dashboard.rows.flatMap((row) => row.panels)
  const json = grafanaJson(dashboard)

  test('has titles, descriptions and units', () => {
    expect(panels.filter(({ title, description, unit }) => !title || !description || !unit)).toEqual([])
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  })

  test('takes its data source from a variable and can not be edited by accident', () => {
    expect(json).not.toMatch(/"uid": "(?!\$datasource|tidemark-)/)
    expect(json).toContain('"editable": false')
  })

  test('chooses by namespace, projection and version in every query', () => {
    const blind = panels
      .flatMap(({ queries }) => queries)
      .filter(({ expr }) => !expr.includes('namespace=~"$namespace"'))
    expect(blind).toEqual([])
  })

  test('rates over the window that fits the resolution', () => {
    const fixed = panels
      .flatMap(({ queries }) => queries)
      .filter(({ expr }) => /\brate\([^)]*\[(?!\$__rate_interval)/.test(expr))
    expect(fixed).toEqual([])
  })

  test('names the lines of every graph', () => {
    const nameless = panels.filter(
      ({ kind, queries }) => kind === 'timeseries' && queries.some(({ legend }) => !legend),
    )
    expect(nameless).toEqual([])
  })

  test('lays panels out without overlap, within 24 columns', () => {
    const placed: { gridPos: { x: number; y: number; w: number; h: number } }[] = JSON.parse(json).panels
    const taken = new Set<string>()
    for (const { gridPos } of placed) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false)
          taken.add(`${x},${y}`)
        }
    }
  })
})
