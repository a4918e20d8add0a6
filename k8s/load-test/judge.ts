import { at, type Courses, highest } from './course.ts'
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

/** Seconds from the beginning of a step until its backlog was gone for good; undefined if it never was. */
export function drainedAfter({ lag }: Pick<Courses, 'lag'>, { rate, from, to }: Happened): number | undefined {
  const during = lag.filter(([when]) => when >= from && when <= to + 300)
  const last = during.findLast(([, value]) => value > rate * TOLERANCE_SECONDS)
  if (!last) return 0
  const after = during.find(([when]) => when > last[0])
  return after === undefined ? undefined : after[0] - from
}

/** What a scenario promises, held against what happened. */
export function judge(
  { partitions, catchUpSeconds, workers }: Scenario,
  steps: readonly Happened[],
  courses: Courses,
): readonly Verdict[] {
  const aligned = alignedCounts(partitions)
  const asked = courses.asked.map(([, count]) => count)
  const odd = asked.filter((count) => count > workers.minimum && count < workers.maximum && !aligned.includes(count))
  const verdicts: Verdict[] = [
    {
      promise: 'Only numbers of workers that are worth a rebalance were asked for',
      seen: asked.join(' → '),
      kept: odd.length === 0,
    },
  ]
  for (const [index, step] of steps.entries()) {
    const end = steps[index + 1]?.rate === 0 ? steps[index + 1]!.to : step.to
    const changes = courses.asked.filter(([when]) => when > step.from && when <= end).map(([, count]) => count)
    const counts = [at(courses.asked, step.from) ?? workers.minimum, ...changes]
    if (step.rate === 0) continue
    const drained = drainedAfter(courses, { ...step, to: end })
    const limit = catchUpSeconds * 1.2
    verdicts.push(
      {
        promise: `${step.rate} events/s: the backlog is gone within 1.2 × ${catchUpSeconds} s`,
        seen: drained === undefined ? 'it was never gone' : `after ${Math.round(drained)} s`,
        kept: drained !== undefined && drained <= limit,
      },
      {
        promise: `${step.rate} events/s: up and down once, no thrash`,
        seen: `${counts.join(' → ')}, ${turns(counts)} turn(s)`,
        kept: turns(counts) <= 1,
      },
    )
    if (workers.minimum === 0)
      verdicts.push({
        promise: `${step.rate} events/s: woken from zero`,
        seen: `${counts[0]} before, ${highest(courses.ready.filter(([when]) => when > step.from && when <= end))} ready at most`,
        kept: counts[0] === 0 && changes.some((count) => count > 0),
      })
  }
  const left = courses.asked.at(-1)?.[1]
  verdicts.push({
    promise: `In the end ${workers.minimum} worker(s) are left`,
    seen: String(left),
    kept: left === workers.minimum,
  })
  return verdicts
}
