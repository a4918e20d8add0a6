import { BUSY_TARGET, wantedWorkers } from '../../shared/engine/wanted-workers.ts'
import { applied, round, type Sample, total } from './status-sample.ts'
import { count, counted } from './terminal.ts'

/** What the autoscaler goes by, as far as it can be seen from outside, and what it would do by the chart's defaults. */
export interface Scaling {
  readonly arrivalPerSecond: number
  /** Events per second of one worker, while all were behind; null if that was never seen. At least that: some may have waited. */
  readonly capacityPerWorker: number | null
  readonly lag: number
  /** Null where it depends on a capacity that is not known. */
  readonly wanted: number | null
  readonly members: number
  readonly partitions: number
  readonly why: string
}

/** The chart's defaults; what a cluster has set otherwise is in its values. */
export const BOUNDS = { minimum: 1, catchUpSeconds: 300 } as const

/** What some looks at a group, oldest first, say about how many workers it should have. */
export function scalingOf(samples: readonly Sample[], members: number): Scaling | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last || last.partitions.length === 0) return undefined
  const seconds = Math.max(0.001, (last.at - first.at) / 1000)
  const arrivalRate = Math.max(0, total(last, 'end') - total(first, 'end')) / seconds
  const lag = total(last, 'lag')
  const partitions = last.partitions.length
  const capacity = capacityOf(samples, members)
  const seen = {
    arrivalPerSecond: round(arrivalRate),
    capacityPerWorker: capacity === null ? null : round(capacity),
    lag,
    members,
    partitions,
  }
  if (arrivalRate === 0 && lag === 0)
    return { ...seen, wanted: BOUNDS.minimum, why: 'minimum: nothing arrives, nothing waits' }
  if (capacity === null) return { ...seen, wanted: null, why: `capacity unknown: ${unknown(samples, members)}` }
  const { need, workers, why } = wantedWorkers(
    { arrivalRate, lag, capacity, workers: members, cassandraBound: false },
    { partitions, ...BOUNDS, maximum: partitions },
  )
  const load = `load of ${counted(Math.max(0.1, round(need)), 'worker')} (${[
    ...(arrivalRate > 0 ? [`arrivals at ${BUSY_TARGET * 100} % busy`] : []),
    ...(lag > 0 ? [`${count(lag)} behind gone in ${BOUNDS.catchUpSeconds} s`] : []),
  ].join(', ')})`
  if (need > partitions) return { ...seen, wanted: workers, why: `${load}: the topic needs more partitions` }
  if (why !== 'load') return { ...seen, wanted: workers, why: `${why}: ${load}` }
  const even = workers > Math.ceil(need) ? `; ${workers} share ${partitions} partitions evenly` : ''
  return { ...seen, wanted: workers, why: `${load}${even}` }
}

/** From the times in which there was as much left at the end as had been done: then nobody can have been idle for want of events. */
function capacityOf(samples: readonly Sample[], members: number): number | null {
  let [events, seconds] = [0, 0]
  samples.slice(1).forEach((after, index) => {
    const before = samples[index]
    if (!before || !behind(before, after)) return
    events += applied(before, after)
    seconds += (after.at - before.at) / 1000
  })
  return events === 0 || seconds === 0 || members === 0 ? null : events / seconds / members
}

function behind(before: Sample, after: Sample): boolean {
  return total(after, 'lag') > 0 && total(after, 'lag') >= applied(before, after)
}

function unknown(samples: readonly Sample[], members: number): string {
  if (members === 0) return 'no workers'
  const stalled = samples.slice(1).some((after, index) => samples[index] && behind(samples[index], after))
  return stalled ? 'nothing was committed while watched' : 'never behind while watched'
}
