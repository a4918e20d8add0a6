import fc from 'fast-check'

/** What a step is about; meaning depends on the step. Small numbers, so that fast-check shrinks to the simplest history. */
export interface Step {
  readonly do:
    | 'publish'
    | 'garbage'
    | 'keyless'
    | 'gap'
    | 'work'
    | 'fail'
    | 'freeze'
    | 'thaw'
    | 'start'
    | 'stop'
    | 'crash'
    | 'evict'
    | 'suspend'
    | 'rejoin'
    | 'retry'
    | 'skip'
    | 'repair'
    | 'forget'
    | 'stall'
  /** Which of those that are there: a row, a worker, a call, a dead letter. */
  readonly pick: number
  /** What, or how much of it. */
  readonly value: number
}

const alone = (weight: number, ...kinds: Step['do'][]) => ({
  weight,
  arbitrary: fc
    .record({ do: fc.constantFrom(...kinds), pick: fc.nat(11), value: fc.nat(11) })
    .map((step): readonly Step[] => [step]),
})

const events = fc.array(fc.record({ do: fc.constant('publish' as const), pick: fc.nat(4), value: fc.nat(4) }), {
  minLength: 3,
  maxLength: 6,
})
const one = (what: Step['do'], value = 0): Step => ({ do: what, pick: 0, value })
const works = (count: number) => Array.from({ length: count }, () => one('work', 8))

/** A worker sleeps until another has moved on with its partitions, and gets some of them back: what it remembers is out of date. */
const sleeper: fc.Arbitrary<readonly Step[]> = fc
  .tuple(events, events, events)
  .map(([first, second, third]) => [
    ...[...first, ...works(3), one('suspend'), one('start'), ...works(2)],
    ...[...second, ...works(6), one('rejoin'), ...works(3), ...third, ...works(2)],
  ])

/** An event is left out, its handler repaired, and all of it folded again: it stays left out. */
const leftOut: fc.Arbitrary<readonly Step[]> = fc
  .tuple(events, fc.constantFrom<Step['do']>('forget', 'crash'))
  .map(([some, what]) => [
    { do: 'publish', pick: 3, value: 3 },
    ...[...some, ...works(5), one('skip'), one('work', 1), one('repair'), one(what), one('start'), ...works(3)],
  ])

/** A history: mostly events and the world getting on with its work, with every fault there is in between. */
export const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc
    .array(
      fc.oneof(
        alone(14, 'publish'),
        alone(14, 'work'),
        alone(1, 'garbage', 'keyless', 'gap'),
        alone(3, 'fail'),
        alone(2, 'freeze', 'thaw'),
        alone(4, 'start', 'stop', 'crash', 'evict', 'suspend', 'rejoin'),
        alone(2, 'retry', 'retry', 'skip', 'repair'),
        alone(1, 'forget', 'stall'),
        { weight: 1, arbitrary: sleeper },
        { weight: 1, arbitrary: leftOut },
      ),
      { maxLength, size: 'max' },
    )
    .map((episodes) => episodes.flat())

/** How the world of a history is made. */
export interface Setting {
  readonly seed: number
  /** Records per fetch, rows per flush and whether the memory holds a single row. */
  readonly batch: number
  readonly flushRows: number
  readonly small: boolean
  /** Is there a row that Cassandra refuses for good? */
  readonly refusing: boolean
  readonly partitions: number
}

export const setting: fc.Arbitrary<Setting> = fc.record({
  seed: fc.nat(),
  batch: fc.constantFrom(1, 5),
  flushRows: fc.constantFrom(2, 7, 1_000),
  small: fc.boolean(),
  refusing: fc.boolean(),
  partitions: fc.constantFrom(1, 3),
})
