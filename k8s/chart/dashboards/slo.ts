import * as unit from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, heatmap, lines, number, query } from './grafana.ts'
import { CHOSEN, of, VERSION } from './series.ts'

const late = (window: string) =>
  `1 - sum(increase(tidemark_end_to_end_seconds_bucket{${CHOSEN}, le=~"10|10[.]0"}[${window}])) / (sum(increase(tidemark_end_to_end_seconds_count{${CHOSEN}}[${window}])) > 0)`

export const slo: Dashboard = {
  uid: 'tidemark-slo',
  title: 'Tidemark / Freshness objective',
  description: '99 % of events are readable within 10 seconds, over 30 days.',
  scope: 'fleet',
  rows: [
    {
      title: 'Objective',
      panels: [
        number(
          'Late in the range shown',
          'Share of events that took more than 10 s; 1 % is the objective.',
          unit.PercentUnit,
          late('$__range'),
        ),
        number(
          'Budget left, 30 days',
          'Share of the allowed late events that is not used up.',
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
          'How long events took, and how many took that long.',
          unit.Seconds,
          query(`sum by (le) (increase(tidemark_end_to_end_seconds_bucket{${CHOSEN}}[$__rate_interval]))`, '{{le}}'),
        ),
      ],
    },
  ],
}
