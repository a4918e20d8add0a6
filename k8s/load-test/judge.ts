import { at, between, type Courses, highest } from './course.ts'
import type { Scenario } from './scenario.ts'

/** One thing that must hold, and what was seen of it. */
export interface Verdict {
  readonly promise: string
  readonly seen: string
  readonly kept: boolean
}

/** A step as it happened. */
export interface Happened {
  readonly rate: number
  /** Seconds since the start. */
  readonly from: number
  readonly to: number
}

/** Backlog that counts as none: what arrives in so many seconds. */
const TOLERANCE_SECONDS = 2

/** Numbers of workers in which the busiest has fewer partitions than with one worker less. */
export function alignedCounts(partitions: number): readonly number[] {
  const counts = Array.from({ length: partitions }, (_, index) => Math.ceil(partitions / (index + 1)))
  return [...new Set(counts)].sort((a, b) => a - b)
}

/** How often a number of workers changed its direction: up and then down is once. */
export function turns(counts: readonly number[]): number {
  const directions = counts.slice(1).map((count, index) => Math.sign(count - counts[index]!))
  const moves = directions.filter((direction) => direction !== 0)
  return moves.slice(1).filter((direction, index) => direction !== moves[index]).length
}

/** Seconds from the beginning of a step until its backlog was gone for good; undefined if it never was, or nothing was seen of it. */
export function drainedAfter({ lag }: Pick<Courses, 'lag'>, { rate, from, to }: Happened): number | undefined {
  const during = between(lag, from, to + 300)
  const last = during.findLast(([, value]) => value > rate * TOLERANCE_SECONDS)
  const after = during.find(([when]) => !last || when > last[0])
  return after && (last ? after[0] - from : 0)
}

/** What a scenario promises, held against what happened. */
export function judge(scenario: Scenario, steps: readonly Happened[], courses: Courses): readonly Verdict[] {
  const { partitions, workers } = scenario
  const aligned = alignedCounts(partitions)
  const asked = courses.asked.map(([, count]) => count)
  const odd = asked.filter((count) => count > workers.minimum && count < workers.maximum && !aligned.includes(count))
  const left = courses.asked.at(-1)?.[1]
  // A step counts until the pause behind it is over.
  const whole = steps.map((step, index) => ({
    ...step,
    to: steps[index + 1]?.rate === 0 ? steps[index + 1]!.to : step.to,
  }))
  const judged = scenario.cassandraBytesPerSecond ? limited : scaled
  return [
    {
      promise: 'Only numbers of workers that are worth a rebalance were asked for',
      seen: asked.join(' → '),
      kept: odd.length === 0,
    },
    ...whole.filter(({ rate }) => rate > 0).flatMap((step) => judged(scenario, step, courses)),
    {
      promise: `In the end ${workers.minimum} worker(s) are left`,
      seen: String(left),
      kept: left === workers.minimum,
    },
  ]
}

/** Of a step that workers limit. */
function scaled({ catchUpSeconds, workers }: Scenario, step: Happened, courses: Courses): readonly Verdict[] {
  const { rate } = step
  const changes = between(courses.asked, step.from, step.to).map(([, count]) => count)
  const counts = [at(courses.asked, step.from) ?? workers.minimum, ...changes]
  const ready = highest(between(courses.ready, step.from, step.to))
  const drained = drainedAfter(courses, step)
  const verdicts: Verdict[] = [
    {
      promise: `${rate} events/s: the backlog is gone within 1.2 × ${catchUpSeconds} s`,
      seen: drained === undefined ? 'it was never gone' : `after ${Math.round(drained)} s`,
      kept: drained !== undefined && drained <= catchUpSeconds * 1.2,
    },
    {
      promise: `${rate} events/s: up and down once, no thrash`,
      seen: `${counts.join(' → ')}, ${turns(counts)} turn(s)`,
      kept: turns(counts) <= 1,
    },
  ]
  if (workers.minimum > 0) return verdicts
  const seen = `${counts[0]} before, ${ready} ready at most`
  return [...verdicts, { promise: `${rate} events/s: woken from zero`, seen, kept: counts[0] === 0 && ready > 0 }]
}

/** Of a step that Cassandra limits. It shows something only if the load would have taken more workers. */
function limited({ workers }: Scenario, { rate, from, to }: Happened, courses: Courses): readonly Verdict[] {
  const need = highest(between(courses.need, from, to))
  const most = Math.max(at(courses.asked, from) ?? 0, highest(between(courses.asked, from, to)))
  return [
    {
      promise: `${rate} events/s, while Cassandra is what limits: no worker is added for nothing`,
      seen: `${most} asked for at most; without the rule for Cassandra it would have been ${Math.ceil(need)}`,
      kept: most === workers.minimum && need > workers.minimum,
    },
  ]
}
