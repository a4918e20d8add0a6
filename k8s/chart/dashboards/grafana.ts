import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel as PanelModel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as HeatmapBuilder, YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat, QueryEditorMode } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { Short } from '@grafana/grafana-foundation-sdk/units'

/** What every kind of panel of the SDK has; its builders share no type that says so. */
export interface Panel extends Builder<PanelModel> {
  id(id: number): this
  title(title: string): this
  description(description: string): this
  unit(unit: string): this
  min(min: number): this
  datasource(datasource: { type: string; uid: string }): this
  span(width: number): this
  height(height: number): this
  withTarget(query: DataqueryBuilder): this
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

const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

/** What a panel asks Prometheus, and what a line of the answer is called. Of one panel: it is named by its place there. */
export function query(expr: string, legend?: string): DataqueryBuilder {
  const asked = new DataqueryBuilder().datasource(DATASOURCE).editorMode(QueryEditorMode.Code).expr(expr)
  return legend ? asked.legendFormat(legend) : asked
}

/**
 * Lines over time, half as wide as the page. The description says what a person learns from them and what to do about it,
 * the unit is one of the SDK's `units`.
 */
export function lines(title: string, description: string, unit: string, ...queries: DataqueryBuilder[]): Panel {
  const panel = new TimeseriesBuilder()
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  return asking(panel.span(12).height(8), title, description, unit, queries)
}

/** One number, large; four fill the page's width. */
export function number(title: string, description: string, unit: string, expr: string): Panel {
  const newest = new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false)
  return asking(new StatBuilder().reduceOptions(newest).span(6).height(4), title, description, unit, [query(expr)])
}

/** What one column of a table shows: a unit of its own, since a table has many. */
export interface Column {
  readonly title: string
  /** One of the SDK's `units`. */
  readonly unit: string
  readonly expr: string
}

/** The newest values of many series, one a line; series of all columns with the same labels share a line. */
export function table(title: string, description: string, ...columns: Column[]): Panel {
  // What Grafana calls the values of a query, which no legend changes: alone, or one of several.
  const called = (index: number) => (columns.length === 1 ? 'Value' : `Value #${refId(index)}`)
  const renameByName = Object.fromEntries(columns.map(({ title }, index) => [called(index), title]))
  const panel = new TableBuilder()
    .showHeader(true)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true, __name__: true }, renameByName } })
  for (const column of columns) panel.overrideByName(column.title, [{ id: 'unit', value: column.unit }])
  const newest = columns.map(({ expr }) => query(expr).format(PromQueryFormat.Table).instant())
  return asking(panel.span(24).height(8), title, description, Short, newest)
}

/** How often values of each bucket were seen over time, as wide as the page; the query gives a histogram's buckets. */
export function heatmap(title: string, description: string, unit: string, buckets: DataqueryBuilder): Panel {
  const panel = new HeatmapBuilder().yAxis(new YAxisConfigBuilder().unit(unit)).showYHistogram()
  return asking(panel.span(24).height(8), title, description, unit, [buckets.format(PromQueryFormat.Heatmap)])
}

/** `A` for the first query of a panel. */
const refId = (index: number) => String.fromCharCode(65 + index)

function asking<P extends Panel>(
  panel: P,
  title: string,
  description: string,
  unit: string,
  queries: DataqueryBuilder[],
): P {
  panel.title(title).description(description).unit(unit).min(0).datasource(DATASOURCE)
  for (const [index, one] of queries.entries()) panel.withTarget(one.refId(refId(index)))
  return panel
}

/** The dashboard as Grafana imports it, in the schema of 11.6, which newer ones read. Writing it twice gives the same text. */
export function grafanaJson({ uid, title, description, scope, rows }: Dashboard): string {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['tidemark'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .link(
      new DashboardLinkBuilder('Tidemark')
        .type(DashboardLinkType.Dashboards)
        .tags(['tidemark'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .variables(variables(scope))
  let id = 0
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id))
    for (const panel of row.panels) builder.withPanel(panel.id(++id))
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`
}

function variables(scope: Dashboard['scope']) {
  const asked = (name: string, label: string, query: string, many: boolean) => {
    const variable = new QueryVariableBuilder(name)
      .label(label)
      .datasource(DATASOURCE)
      .query({ query, refId: name })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(many)
      .includeAll(many)
    return many ? variable.allValue('.*').current({ text: 'All', value: '$__all' }) : variable
  }
  const many = scope === 'fleet'
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    asked('namespace', 'Namespace', 'label_values(tidemark_assigned_partitions, namespace)', many),
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
