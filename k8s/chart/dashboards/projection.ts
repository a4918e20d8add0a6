import * as unit from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, lines, number, query } from './grafana.ts'
import { of, PARTITION, quantile, rate } from './series.ts'

export const projection: Dashboard = {
  uid: 'tidemark-projection',
  title: 'Tidemark / One projection',
  description: 'One version of one projection in detail: partitions, flushes, Cassandra, what was set aside.',
  scope: 'version',
  rows: [
    {
      title: 'Now',
      panels: [
        number('Lag', 'Events behind the end of the log.', unit.Short, `sum(${of('tidemark:fleet:lag')})`),
        number(
          'Age',
          'Seconds since the oldest waiting event was produced.',
          unit.Seconds,
          `max(${of('tidemark:fleet:age_seconds')})`,
        ),
        number('Workers', 'Workers that run.', unit.Short, `sum(${of('tidemark:fleet:workers')})`),
        number(
          'Rows and keys set aside',
          'They wait behind a dead letter; other rows go on.',
          unit.Short,
          `sum(${of('tidemark_parked_keys')})`,
        ),
      ],
    },
    {
      title: 'Partitions',
      panels: [
        lines(
          'Lag by partition',
          'One that grows alone has a hot key, or is held.',
          unit.Short,
          query(of('tidemark:partition:lag'), PARTITION),
        ),
        lines(
          'Age by partition',
          'Seconds since the oldest waiting event of the partition was produced.',
          unit.Seconds,
          query(of('tidemark:partition:age_seconds'), PARTITION),
        ),
        lines(
          'Applied by partition',
          'Events per second.',
          unit.OpsPerSecond,
          query(`sum by (topic, partition) (${rate('tidemark_events_total')})`, PARTITION),
        ),
        lines(
          'Partitions by worker',
          'How evenly they are spread.',
          unit.Short,
          query(of('tidemark_assigned_partitions'), '{{pod}}'),
        ),
      ],
    },
    {
      title: 'Writing',
      panels: [
        lines(
          'Flush duration',
          'How long writing what was folded takes.',
          unit.Seconds,
          query(quantile(0.5, 'tidemark_flush_duration_seconds'), '50 %'),
          query(quantile(0.99, 'tidemark_flush_duration_seconds'), '99 %'),
        ),
        lines(
          'Flushes by cause',
          '`latency` when caught up; `rows`, `bytes` or `time` when behind.',
          unit.OpsPerSecond,
          query(`sum by (trigger) (${rate('tidemark_flush_duration_seconds_count')})`, '{{trigger}}'),
        ),
        lines(
          'Rows by flush',
          'Many events on one row between two flushes are one write.',
          unit.Short,
          query(quantile(0.5, 'tidemark_flush_rows'), '50 %'),
          query(quantile(0.99, 'tidemark_flush_rows'), '99 %'),
        ),
        lines(
          'Events by row written',
          'How much coalescing saves.',
          unit.Short,
          query(
            `sum(${rate('tidemark_events_total')}) / (sum(${rate('tidemark_rows_written_total')}) > 0)`,
            'events a row',
          ),
        ),
        lines(
          'Cassandra requests',
          'As the workers saw them, mean over the fleet.',
          unit.Seconds,
          query(of('tidemark:fleet:cassandra_seconds'), 'mean'),
        ),
        lines(
          'Produced to readable',
          'From the producer to the view: the oldest and the newest event of each flush, those of a rebuild too.',
          unit.Seconds,
          query(quantile(0.5, 'tidemark_end_to_end_seconds'), '50 %'),
          query(quantile(0.99, 'tidemark_end_to_end_seconds'), '99 %'),
        ),
      ],
    },
    {
      title: 'Trouble',
      panels: [
        lines(
          'Dead letters',
          'Events that can never succeed. `tidemark dead-letters list` names them.',
          unit.Short,
          query(`sum(increase(${of('tidemark_dead_letters_total')}[$__rate_interval]))`, 'new'),
        ),
        lines(
          'Rebalances',
          'Times a worker was given partitions, per hour.',
          unit.Short,
          query(`max(increase(${of('tidemark_rebalances_total')}[1h]))`, 'an hour'),
        ),
      ],
    },
  ],
}
