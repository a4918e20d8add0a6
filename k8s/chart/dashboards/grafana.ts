/** What a panel asks Prometheus, and what a line of the answer is called. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  /** What a person learns from it, and what to do about it. */
  readonly description: string
  readonly kind: 'timeseries' | 'stat' | 'table' | 'heatmap'
  /** Grafana's name of the unit: `s`, `short`, `percentunit`, `ops`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** Of 24. */
  readonly width: number
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  /** Also the file's name; stays the same for ever, since links use it. */
  readonly uid: string
  readonly title: string
  readonly description: string
  /** Of one version of a projection, or of all there are. */
  readonly scope: 'fleet' | 'version'
  readonly rows: readonly Row[]
}

/** Lines over time, half as wide as the page. */
export function lines(title: string, description: string, unit: string, ...queries: Query[]): Panel {
  return { kind: 'timeseries', title, description, unit, queries, width: 12 }
}

/** One number, large; four fill the page's width. */
export function number(title: string, description: string, unit: string, expr: string): Panel {
  return { kind: 'stat', title, description, unit, queries: [{ expr, legend: '' }], width: 6 }
}

/** The newest values of many series, one a line. */
export function table(title: string, description: string, unit: string, ...queries: Query[]): Panel {
  return { kind: 'table', title, description, unit, queries, width: 24 }
}

export function query(expr: string, legend: string): Query {
  return { expr, legend }
}

const HEIGHTS: Readonly<Record<Panel['kind'], number>> = { timeseries: 8, stat: 4, table: 8, heatmap: 8 }
const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

/** The dashboard as Grafana imports it. */
export function grafanaJson({ uid, title, description, scope, rows }: Dashboard): string {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    })
    y += 1
    let x = 0
    let height = 0
    for (const panel of row.panels) {
      if (x + panel.width > 24) {
        x = 0
        y += height
        height = 0
      }
      const h = HEIGHTS[panel.kind]
      panels.push(panelJson(panels.length + 1, panel, { h, w: panel.width, x, y }))
      x += panel.width
      height = Math.max(height, h)
    }
    y += height
  }
  return `${JSON.stringify(
    {
      uid,
      title,
      description,
      tags: ['tidemark'],
      editable: false,
      graphTooltip: 1,
      schemaVersion: 39,
      time: { from: 'now-1h', to: 'now' },
      refresh: '30s',
      timezone: 'browser',
      links: [
        {
          title: 'Tidemark',
          type: 'dashboards',
          tags: ['tidemark'],
          asDropdown: true,
          includeVars: true,
          keepTime: true,
        },
      ],
      templating: { list: variables(scope) },
      panels,
    },
    null,
    2,
  )}\n`
}

function panelJson(id: number, { kind, title, description, unit, queries }: Panel, gridPos: object): object {
  const instant = kind === 'table'
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    ...(legend && { legendFormat: legend }),
    ...(instant ? { format: 'table', instant: true, range: false } : kind === 'heatmap' ? { format: 'heatmap' } : {}),
  }))
  return {
    id,
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    targets,
    fieldConfig: {
      defaults: { unit, min: 0, ...(kind === 'timeseries' && { custom: { fillOpacity: 8 } }) },
      overrides: [],
    },
    options: OPTIONS[kind],
    ...(kind === 'table' && {
      transformations: [
        { id: 'merge', options: {} },
        { id: 'organize', options: { excludeByName: { Time: true, __name__: true } } },
      ],
    }),
  }
}

const OPTIONS: Readonly<Record<Panel['kind'], object>> = {
  timeseries: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value', graphMode: 'area' },
  table: { showHeader: true, footer: { show: false } },
  heatmap: { calculate: false, yAxis: { unit: 's' }, tooltip: { mode: 'single', yHistogram: true } },
}

function variables(scope: Dashboard['scope']): object[] {
  const asked = (name: string, label: string, query: string, many: boolean) => ({
    type: 'query',
    name,
    label,
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: many,
    includeAll: many,
    ...(many && { allValue: '.*', current: { text: 'All', value: '$__all' } }),
  })
  const many = scope === 'fleet'
  return [
    { type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus', refresh: 1 },
    asked('namespace', 'Namespace', 'label_values(tidemark_assigned_partitions, namespace)', true),
    asked(
      'projection',
      'Projection',
      'label_values(tidemark_assigned_partitions{namespace=~"$namespace"}, projection)',
      many,
    ),
    asked(
      'version',
      'Version',
      'label_values(tidemark_assigned_partitions{namespace=~"$namespace", projection=~"$projection"}, version)',
      many,
    ),
  ]
}
