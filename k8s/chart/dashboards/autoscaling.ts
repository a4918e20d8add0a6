import * as unit from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, lines, number, query } from './grafana.ts'
import { of } from './series.ts'

export const autoscaling: Dashboard = {
  uid: 'tidemark-autoscaling',
  title: 'Tidemark / Autoscaling explained',
  description:
    'Why a fleet has as many workers as it has: need = (arrival / 0.7 + lag / catch-up time) / capacity, made partition-aligned, within bounds.',
  scope: 'version',
  rows: [
    {
      title: 'The decision',
      panels: [
        number(
          'Need',
          'In workers and parts of one. Above the number of partitions, the topic needs more of them.',
          unit.Short,
          `max(${of('tidemark:workers:need')})`,
        ),
        number(
          'Wanted',
          'After alignment with the partitions, the hold while Cassandra limits, and the bounds.',
          unit.Short,
          `max(${of('tidemark:workers:wanted')})`,
        ),
        number('Running', 'Workers that run.', unit.Short, `max(${of('tidemark:fleet:workers')})`),
        number(
          'Cassandra limits',
          '1 while it does: then no workers are added, since they would only make it slower.',
          unit.Short,
          `max(${of('tidemark:fleet:cassandra_bound')})`,
        ),
        lines(
          'Step by step',
          'Need, then aligned, then wanted; and what runs, which follows up at once and down slowly.',
          unit.Short,
          query(of('tidemark:workers:need'), 'need'),
          query(of('tidemark:workers:aligned'), 'aligned'),
          query(of('tidemark:workers:wanted'), 'wanted'),
          query(of('tidemark:fleet:workers'), 'running'),
        ),
        lines(
          'Bounds',
          'Between minimum and maximum, and never more than partitions.',
          unit.Short,
          query(of('tidemark:bounds:minimum'), 'minimum'),
          query(of('tidemark:bounds:maximum'), 'maximum'),
          query(of('tidemark:bounds:partitions'), 'partitions'),
        ),
      ],
    },
    {
      title: 'What it follows from',
      panels: [
        lines(
          'Arriving and applied',
          'While the first is above the second, lag grows.',
          unit.OpsPerSecond,
          query(of('tidemark:fleet:arrival_rate'), 'arriving'),
          query(of('tidemark:fleet:applied_rate'), 'applied'),
        ),
        lines('Lag', 'Should be gone within the catch-up time.', unit.Short, query(of('tidemark:fleet:lag'), 'lag')),
        lines(
          'Capacity of one worker',
          'Events it applies with the CPU it may use: measured while it is busy, or whenever that gives more than was known; remembered for a day, then assumed.',
          unit.OpsPerSecond,
          query(of('tidemark:fleet:capacity'), 'capacity'),
        ),
        lines(
          'Utilisation',
          'CPU of the mean worker; 100 % is all one thread has.',
          unit.PercentUnit,
          query(of('tidemark:fleet:utilisation'), 'utilisation'),
        ),
        lines(
          'Cassandra requests',
          'Mean as the workers saw them. Slow while the workers are idle: Cassandra limits.',
          unit.Seconds,
          query(of('tidemark:fleet:cassandra_seconds'), 'mean'),
        ),
        lines(
          'Time to drain',
          'At the present rates. A gap means never.',
          unit.Seconds,
          query(
            `${of('tidemark:fleet:lag')} / (${of('tidemark:fleet:applied_rate')} - ${of('tidemark:fleet:arrival_rate')} > 0)`,
            'time to drain',
          ),
          query(of('tidemark:bounds:catch_up_seconds'), 'promised'),
        ),
      ],
    },
  ],
}
