import * as unit from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, lines, number, query, table } from './grafana.ts'
import { byVersion, of, quantile, rate, VERSION } from './series.ts'

export const fleet: Dashboard = {
  uid: 'tidemark-fleet',
  title: 'Tidemark / Fleet overview',
  description: 'Every projection at a glance: is it up to date, and if not, is it getting there?',
  scope: 'fleet',
  rows: [
    {
      title: 'Now',
      panels: [
        number(
          'Events applied',
          'Per second, over all that is chosen.',
          unit.OpsPerSecond,
          `sum(${of('tidemark:fleet:applied_rate')})`,
        ),
        number(
          'Events behind',
          'Events in Kafka that no view shows yet. Being behind is fine while it shrinks.',
          unit.Short,
          `sum(${of('tidemark:fleet:lag')})`,
        ),
        number(
          'Oldest event behind',
          'Age of the oldest event that is not in its view yet.',
          unit.Seconds,
          `max(${of('tidemark:fleet:age_seconds')})`,
        ),
        number(
          'Dead letters',
          'Events set aside in the range shown. `tidemark dead-letters list` names them.',
          unit.Short,
          `sum(increase(${of('tidemark_dead_letters_total')}[$__range]))`,
        ),
      ],
    },
    {
      title: 'Over time',
      panels: [
        lines(
          'Applied',
          'Events per second by version.',
          unit.OpsPerSecond,
          query(of('tidemark:fleet:applied_rate'), VERSION),
        ),
        lines(
          'Arriving',
          'Events per second that are produced to what the version reads.',
          unit.OpsPerSecond,
          query(of('tidemark:fleet:arrival_rate'), VERSION),
        ),
        lines('Lag', 'Events behind the end of the log.', unit.Short, query(of('tidemark:fleet:lag'), VERSION)),
        lines(
          'Age',
          'Seconds since the oldest waiting event was produced.',
          unit.Seconds,
          query(of('tidemark:fleet:age_seconds'), VERSION),
        ),
        lines(
          'Workers',
          'Workers that run, and those that should.',
          unit.Short,
          query(of('tidemark:fleet:workers'), VERSION),
          query(of('tidemark:workers:wanted'), `${VERSION} wanted`),
        ),
        lines(
          'Produced to readable, 99 %',
          'Of the oldest and the newest event of each flush, ninety-nine of a hundred were readable within this time.',
          unit.Seconds,
          query(quantile(0.99, 'tidemark_end_to_end_seconds', 'namespace, projection, version'), VERSION),
        ),
      ],
    },
    {
      title: 'Trouble',
      panels: [
        lines(
          'Outcomes other than applied',
          'Ignored is normal, duplicates follow a restart; dead and parked want attention.',
          unit.OpsPerSecond,
          query(
            `sum by (namespace, projection, version, outcome) (${rate('tidemark_events_total', 'outcome!="applied"')})`,
            `${VERSION} {{outcome}}`,
          ),
        ),
        lines(
          'Rebalances',
          'Per hour and worker. Each stops its fleet for a moment.',
          unit.Short,
          query(`max by (namespace, projection, version) (increase(${of('tidemark_rebalances_total')}[1h]))`, VERSION),
        ),
        table(
          'Versions',
          'Lag, age and workers of every version.',
          { title: 'Events behind', unit: unit.Short, expr: byVersion(of('tidemark:fleet:lag')) },
          { title: 'Oldest event behind', unit: unit.Seconds, expr: byVersion(of('tidemark:fleet:age_seconds')) },
          { title: 'Workers', unit: unit.Short, expr: byVersion(of('tidemark:fleet:workers')) },
        ),
      ],
    },
  ],
}
