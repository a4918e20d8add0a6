/** What is measured of a fleet at one moment. */
export interface FleetLoad {
  /** Events produced per second. */
  readonly arrivalRate: number
  /** Events behind the end of the log. */
  readonly lag: number
  /** Events per second that one worker can do; above 0. */
  readonly capacity: number
  /** Workers that run now. */
  readonly workers: number
  /** Cassandra is what limits: more workers would only make it slower. */
  readonly cassandraBound: boolean
}

/** What the operator has decided. */
export interface FleetBounds {
  readonly partitions: number
  readonly minimum: number
  readonly maximum: number
  /** In how many seconds a backlog should be gone. */
  readonly catchUpSeconds: number
}

export interface WantedWorkers {
  /** As many as the load takes, in workers and parts of one; above `partitions`, the topic needs more of them. */
  readonly need: number
  /** As many as should run. */
  readonly workers: number
  readonly why: 'load' | 'minimum' | 'maximum' | 'cassandra'
}

/** A worker that is busy all the time has nothing left for a peak, so new events may take this share of it. */
export const BUSY_TARGET = 0.7

/**
 * How many workers a fleet should have (DESIGN §9): enough for what arrives at 70 % of their capacity, and to be through the backlog
 * in `catchUpSeconds`. Only counts in which the busiest worker has fewer partitions than before are worth a rebalance, so with 12
 * partitions the answer is 1, 2, 3, 4, 6 or 12; 0 if there is nothing to do. A fleet that Cassandra limits is never made larger.
 *
 * `helm/rules/autoscaling.yaml` says the same in PromQL, step by step in this order, so that both give the same number to the bit.
 */
export function wantedWorkers(load: FleetLoad, bounds: FleetBounds): WantedWorkers {
  const { partitions, minimum, maximum, catchUpSeconds } = bounds
  const need = (load.arrivalRate / BUSY_TARGET + load.lag / catchUpSeconds) / load.capacity
  const aligned = Math.ceil(partitions / Math.max(1, Math.floor(partitions / need)))
  const held = load.cassandraBound && load.workers < aligned
  const allowed = held ? load.workers : aligned
  if (allowed < minimum) return { need, workers: minimum, why: 'minimum' }
  if (allowed > maximum) return { need, workers: maximum, why: 'maximum' }
  return { need, workers: allowed, why: held ? 'cassandra' : 'load' }
}
