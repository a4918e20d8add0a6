/** One measured quantity over time. Seconds since the start, in order; where nothing was known there is no point. */
export type Course = readonly (readonly [seconds: number, value: number])[]

/** All that a load test has seen. */
export interface Courses {
  readonly arriving: Course
  readonly applied: Course
  readonly lag: Course
  readonly age: Course
  readonly capacity: Course
  readonly wanted: Course
  /** Workers and parts of one that the load would take. */
  readonly need: Course
  /** Workers asked for, as the Deployment says, at each change. */
  readonly asked: Course
  /** Workers that are ready, at each change. */
  readonly ready: Course
}

/** The last value at or before a moment; undefined before the first. */
export function at(course: Course, seconds: number): number | undefined {
  return course.findLast(([when]) => when <= seconds)?.[1]
}

/** What was seen from one moment to another, both included. */
export function between(course: Course, from: number, to: number): Course {
  return course.filter(([when]) => when >= from && when <= to)
}

export function highest(course: Course): number {
  return course.reduce((most, [, value]) => Math.max(most, value), 0)
}
