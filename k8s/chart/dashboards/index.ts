import { autoscaling } from './autoscaling.ts'
import { fleet } from './fleet.ts'
import type { Dashboard } from './grafana.ts'
import { projection } from './projection.ts'
import { rebuild } from './rebuild.ts'
import { slo } from './slo.ts'

/** Every dashboard of the chart, committed as `helm/dashboards/<name>.json`. */
export const dashboards: readonly Dashboard[] = [fleet, projection, autoscaling, rebuild, slo]
