import { z } from 'zod'
import { type Dashboard, grafanaJson } from './grafana.ts'

const place = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() })
const target = z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string().optional() })
const override = z.object({
  matcher: z.object({ options: z.unknown() }),
  properties: z.array(z.object({ id: z.string(), value: z.unknown() })),
})
const transformation = z.object({
  id: z.string(),
  options: z.object({ renameByName: z.record(z.string(), z.string()).optional() }),
})
const row = z.object({ type: z.literal('row'), id: z.number(), title: z.string(), gridPos: place })
const panel = z.object({
  type: z.enum(['timeseries', 'stat', 'table', 'heatmap']),
  id: z.number(),
  title: z.string(),
  description: z.string(),
  gridPos: place,
  targets: z.array(target),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string() }), overrides: z.array(override) }),
  transformations: z.array(transformation).optional(),
})
const written = z.object({ panels: z.array(z.discriminatedUnion('type', [row, panel])) })

/** A panel of the JSON that Grafana gets, as far as checks look at it. */
export type WrittenPanel = z.infer<typeof panel>

/** All that has a place on the page, rows' titles too, from top to bottom. */
export function placed(dashboard: Dashboard): readonly (WrittenPanel | z.infer<typeof row>)[] {
  return written.parse(JSON.parse(grafanaJson(dashboard))).panels
}

/** What shows data: its title, and what it asks Prometheus. */
export function panelsOf(dashboard: Dashboard): readonly WrittenPanel[] {
  return placed(dashboard).filter((one) => one.type !== 'row')
}
