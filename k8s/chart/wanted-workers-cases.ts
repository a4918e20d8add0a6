import { type FleetBounds, type FleetLoad, wantedWorkers } from '../../shared/engine/wanted-workers.ts'

interface Case {
  readonly load: FleetLoad
  readonly bounds: FleetBounds
}

/**
 * The rule test that ties `helm/rules/autoscaling.yaml` to `wantedWorkers`: many fleets at one moment, and for each what the function
 * says. `promtool test rules` then holds the rules to the same numbers.
 */
export function wantedWorkersRuleTest(): string {
  const all = cases()
  const series = all.flatMap(({ load, bounds }, index) => {
    const values: Readonly<Record<string, number>> = {
      'tidemark:fleet:arrival_rate': load.arrivalRate,
      'tidemark:fleet:lag': load.lag,
      'tidemark:fleet:capacity': load.capacity,
      'tidemark:fleet:workers': load.workers,
      'tidemark:fleet:cassandra_bound': load.cassandraBound ? 1 : 0,
      'tidemark:bounds:partitions': bounds.partitions,
      'tidemark:bounds:minimum': bounds.minimum,
      'tidemark:bounds:maximum': bounds.maximum,
      'tidemark:bounds:catch_up_seconds': bounds.catchUpSeconds,
    }
    return Object.entries(values).map(([name, value]) => `{ series: '${name}${labels(index)}', values: '${value}' }`)
  })
  const answers = all.map(({ load, bounds }) => wantedWorkers(load, bounds))
  return [
    '# Written by `make chart-docs` from shared/engine/wanted-workers.ts: what the function says, the rules must say.',
    'rule_files: [../autoscaling.yaml]',
    'evaluation_interval: 1m',
    'tests:',
    `  - name: the rules agree with wantedWorkers on ${all.length} fleets`,
    '    interval: 1m',
    '    input_series:',
    ...series.map((line) => `      - ${line}`),
    '    promql_expr_test:',
    ...expectation(
      'tidemark:workers:wanted',
      answers.map(({ workers }) => workers),
    ),
    ...expectation(
      'tidemark:workers:need',
      answers.map(({ need }) => need),
    ),
    // A fleet whose workers tell nothing: silence if it should run, 0 if it may be at zero.
    '  - name: fleets without numbers',
    '    interval: 1m',
    '    input_series:',
    `      - { series: 'tidemark:bounds:minimum{namespace="n",projection="should-run",version="1"}', values: '1' }`,
    `      - { series: 'tidemark:bounds:maximum{namespace="n",projection="should-run",version="1"}', values: '6' }`,
    `      - { series: 'tidemark:bounds:minimum{namespace="n",projection="may-rest",version="1"}', values: '0' }`,
    `      - { series: 'tidemark:bounds:maximum{namespace="n",projection="may-rest",version="1"}', values: '6' }`,
    '    promql_expr_test:',
    '      - expr: tidemark:workers:wanted',
    '        eval_time: 0m',
    '        exp_samples:',
    `          - { labels: 'tidemark:workers:wanted{namespace="n",projection="may-rest",version="1"}', value: 0 }`,
    '',
  ].join('\n')
}

function expectation(record: string, values: readonly number[]): string[] {
  return [
    `      - expr: ${record}`,
    '        eval_time: 0m',
    '        exp_samples:',
    ...values.map((value, index) => `          - { labels: '${record}${labels(index)}', value: ${value} }`),
  ]
}

/** Each projection is there twice, in two namespaces: neither may count for the other. */
const labels = (index: number) => `{namespace="n${index % 2}",projection="p${index >> 1}",version="1"}`

/** The edges, and a spread of made-up fleets that is the same every time. */
function cases(): Case[] {
  const load: FleetLoad = { arrivalRate: 0, lag: 0, capacity: 1_000, workers: 1, cassandraBound: false }
  const bounds: FleetBounds = { partitions: 12, minimum: 0, maximum: 12, catchUpSeconds: 300 }
  const edges: Case[] = [
    { load, bounds },
    { load, bounds: { ...bounds, minimum: 2 } },
    { load: { ...load, lag: 1 }, bounds },
    // Exactly at a step, where both must round alike.
    ...[1, 2, 3, 4, 6, 12].flatMap((workers) => [
      { load: { ...load, lag: workers * 300_000 }, bounds },
      { load: { ...load, arrivalRate: workers * 700 }, bounds },
    ]),
    { load: { ...load, arrivalRate: 1e6 }, bounds },
    { load: { ...load, arrivalRate: 1e6 }, bounds: { ...bounds, maximum: 5 } },
    { load: { ...load, arrivalRate: 9_000, workers: 3, cassandraBound: true }, bounds },
    { load: { ...load, arrivalRate: 9_000, workers: 3, cassandraBound: true }, bounds: { ...bounds, minimum: 4 } },
    { load: { ...load, workers: 6, cassandraBound: true }, bounds },
  ]
  const random = congruential(20_240_607)
  const whole = (below: number) => Math.floor(random() * below)
  const spread = Array.from({ length: 60 }, (): Case => {
    const partitions = 1 + whole(64)
    const maximum = 1 + whole(partitions)
    return {
      load: {
        arrivalRate: whole(40_000),
        lag: whole(4) === 0 ? 0 : whole(5_000_000),
        capacity: 500 + whole(20_000),
        workers: 1 + whole(partitions),
        cassandraBound: whole(4) === 0,
      },
      bounds: { partitions, maximum, minimum: whole(maximum + 1), catchUpSeconds: 30 + whole(900) },
    }
  })
  return [...edges, ...spread]
}

/** Numbers from 0 to 1 that look like chance and never change. */
function congruential(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
