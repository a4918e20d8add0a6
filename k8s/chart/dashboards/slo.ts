import * as unit from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, heatmap, lines, number, query } from './grafana.ts'
import { CHOSEN, of, VERSION } from './series.ts'

const late = (window: string) =>
  `sum(sum_over_time(${of('tidemark:slo:late_rate')}[${window}])) / (sum(sum_over_time(${of('tidemark:slo:observed_rate')}[${window}])) > 0)`

export const slo: Dashboard = {
  uid: 'tidemark-slo',
  title: 'Tidemark / Freshness objective',
  description:
    '99 % readable within 10 seconds, over 30 days: of the oldest and the newest event of each flush, once a version has caught up for the first time.',
  scope: 'fleet',
  rows: [
    {
      title: 'Objective',
      panels: [
        number(
          'Late in the range shown',
          'Share that took more than 10 s, of the oldest and the newest event of each flush; 1 % is the objective.',
          unit.PercentUnit,
          late('$__range'),
        ),
        number(
          'Budget left, 30 days',
          'What is left of the 1 % that may be late.',
          unit.PercentUnit,
          `clamp_min(1 - (${late('30d')}) / 0.01, 0)`,
        ),
        number(
          'Oldest event behind',
          'Age of the oldest event that is not in its view yet.',
          unit.Seconds,
          `max(${of('tidemark:fleet:age_seconds')})`,
        ),
        number(
          'Fleets without workers',
          'They should have some.',
          unit.Short,
          `count(${of('tidemark:bounds:minimum')} > 0 unless on (namespace, projection, version) ${of('tidemark:fleet:workers')}) or vector(0)`,
        ),
      ],
    },
    {
      title: 'Burn rate: 1 uses the budget up in exactly 30 days',
      panels: [
        lines(
          'Fast',
          'Above 14.4 in both windows, somebody is called.',
          unit.Short,
          query(`${of('tidemark:slo:late_ratio5m')} / 0.01`, `${VERSION} 5m`),
          query(`${of('tidemark:slo:late_ratio1h')} / 0.01`, `${VERSION} 1h`),
        ),
        lines(
          'Slow',
          'Above 6 in both windows, somebody looks tomorrow.',
          unit.Short,
          query(`${of('tidemark:slo:late_ratio30m')} / 0.01`, `${VERSION} 30m`),
          query(`${of('tidemark:slo:late_ratio6h')} / 0.01`, `${VERSION} 6h`),
        ),
        heatmap(
          'Produced to readable',
          'How long the oldest and the newest event of each flush took; those of a rebuild are here too, and are old.',
          unit.Seconds,
          query(`sum by (le) (increase(tidemark_end_to_end_seconds_bucket{${CHOSEN}}[$__rate_interval]))`, '{{le}}'),
        ),
      ],
    },
  ],
}
