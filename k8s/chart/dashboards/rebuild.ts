import * as unit from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, lines, query, table } from './grafana.ts'
import { byVersion, CHOSEN, of, VERSION } from './series.ts'

/** Of all versions of one projection, whatever version is chosen: the point is to see them side by side. */
const versions = (record: string) => of(record).replace(CHOSEN, 'namespace=~"$namespace", projection=~"$projection"')

export const rebuild: Dashboard = {
  uid: 'tidemark-rebuild',
  title: 'Tidemark / Rebuild',
  description: 'Versions of a projection side by side: how far the new one is, and when it will have caught up.',
  scope: 'fleet',
  rows: [
    {
      title: 'Progress',
      panels: [
        lines(
          'Share of the log that is in the view',
          '100 %: caught up, compare and switch.',
          unit.PercentUnit,
          query(
            `1 - sum by (namespace, projection, version) (${versions('tidemark:partition:lag')}) / (sum by (namespace, projection, version) (${versions('tidemark:partition:log_end')}) > 0)`,
            VERSION,
          ),
        ),
        lines(
          'Time to catch up',
          'At the present rates. A gap means never.',
          unit.Seconds,
          query(
            `${versions('tidemark:fleet:lag')} / (${versions('tidemark:fleet:applied_rate')} - ${versions('tidemark:fleet:arrival_rate')} > 0)`,
            VERSION,
          ),
        ),
        lines('Lag', 'Events behind the end of the log.', unit.Short, query(versions('tidemark:fleet:lag'), VERSION)),
        lines(
          'Applied',
          'Events per second.',
          unit.OpsPerSecond,
          query(versions('tidemark:fleet:applied_rate'), VERSION),
        ),
        lines(
          'Cassandra requests',
          'If the serving version becomes late because of the rebuild, give the rebuild fewer workers.',
          unit.Seconds,
          query(versions('tidemark:fleet:cassandra_seconds'), VERSION),
        ),
        lines(
          'Age',
          'The serving version must stay fresh while the new one catches up.',
          unit.Seconds,
          query(versions('tidemark:fleet:age_seconds'), VERSION),
        ),
      ],
    },
    {
      title: 'Set aside',
      panels: [
        table('Rows and keys set aside', 'A new version should have no more of them than the old.', {
          title: 'Set aside',
          unit: unit.Short,
          expr: byVersion(versions('tidemark_parked_keys')),
        }),
      ],
    },
  ],
}
