/** What a fleet of projectors says about one projection. */
export interface Sight {
  readonly projection: string
  /** By process, in the order asked; a process that does not answer has none. */
  readonly partitions: readonly number[]
  readonly lag: number
  readonly ageSeconds: number
}

export interface Observation {
  readonly projections: readonly Sight[]
  /** Partitions somebody reads, over all projections. */
  readonly owned: number
  readonly lag: number
  readonly ageSeconds: number
  /** Events handled so far, by the processes that answer. */
  readonly handled: number
}

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * Looks at the metrics of the processes at these ports, as Prometheus would. A process that is gone has none; one that is too busy to
 * answer within a second counts as it was when it last did. The lag of partitions that nobody reads is nobody's: it shows when
 * somebody reads them.
 */
export function observer(names: readonly string[], ports: readonly number[]): () => Promise<Observation> {
  const last = new Map<number, readonly Sample[]>()
  return async () => {
    const processes = await Promise.all(
      ports.map(async (port) => {
        const seen = (await samples(port)) ?? last.get(port) ?? []
        last.set(port, seen)
        return seen
      }),
    )
    return summed(names, processes)
  }
}

function summed(names: readonly string[], processes: readonly (readonly Sample[])[]): Observation {
  const projections = names.map((projection): Sight => {
    const values = (process: readonly Sample[], name: string) =>
      process
        .filter((sample) => sample.name === name && sample.labels.projection === projection)
        .map(({ value }) => value)
    const everywhere = (name: string) => processes.flatMap((process) => values(process, name))
    return {
      projection,
      partitions: processes.map((process) => sum(values(process, 'tidemark_assigned_partitions'))),
      lag: sum(everywhere('tidemark_lag_events')),
      ageSeconds: Math.max(0, ...everywhere('tidemark_event_age_seconds')),
    }
  })
  const events = processes
    .flat()
    .filter(({ name, labels }) => name === 'tidemark_events_total' && labels.outcome !== 'duplicate')
  return {
    projections,
    owned: sum(projections.flatMap(({ partitions }) => partitions)),
    lag: sum(projections.map(({ lag }) => lag)),
    ageSeconds: Math.max(0, ...projections.map(({ ageSeconds }) => ageSeconds)),
    handled: sum(events.map(({ value }) => value)),
  }
}

/** Undefined: it is there and does not answer in time. */
async function samples(port: number): Promise<readonly Sample[] | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(1_000) })
    return (await answer.text()).split('\n').flatMap(sample)
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError' ? undefined : []
  }
}

/** A line of the Prometheus text format; none for comments. */
function sample(line: string): Sample[] {
  const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined) return []
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text] as const)
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
