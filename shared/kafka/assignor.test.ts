import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Source, sourceText } from '../events/position.ts'
import { assign, type Candidate } from './assignor.ts'

const range = (count: number) => Array.from({ length: count }, (_, number) => number)
const fleet = (count: number, topics: readonly string[]): Candidate[] =>
  range(count).map((number) => ({ id: `m${number}`, topics, owned: [], generation: -1 }))

function after(
  generation: number,
  members: readonly Candidate[],
  shares: ReadonlyMap<string, readonly Source[]>,
): Candidate[] {
  return members.map((member) => ({ ...member, generation, owned: shares.get(member.id) ?? [] }))
}

const layout = fc.record({
  partitions: fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 3 }),
  before: fc.integer({ min: 1, max: 13 }),
  now: fc.integer({ min: 1, max: 13 }),
})

test('every partition has one reader, and nobody has two more than another, of each topic and in all', () => {
  fc.assert(
    fc.property(layout, ({ partitions, before, now }) => {
      const topics = new Map(partitions.map((count, index) => [`t${index}`, range(count)]))
      const first = assign(fleet(before, [...topics.keys()]), topics)
      const members = [
        ...after(1, fleet(Math.min(before, now), [...topics.keys()]), first),
        ...fleet(now, [...topics.keys()]).slice(before),
      ]
      for (const shares of [first, assign(members, topics)]) {
        const all = [...shares.values()].flat().map(sourceText)
        expect(all.sort()).toEqual(
          [...topics]
            .flatMap(([topic, numbers]) => numbers.map((partition) => sourceText({ topic, partition })))
            .sort(),
        )
        for (const topic of [...topics.keys(), undefined]) {
          const loads = [...shares.values()].map(
            (own) => own.filter((source) => topic === undefined || source.topic === topic).length,
          )
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
        }
      }
    }),
  )
})

test('a scaling step moves no more partitions of a topic than it must', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 48 }),
      fc.integer({ min: 1, max: 13 }),
      fc.integer({ min: 1, max: 13 }),
      (count, before, now) => {
        const topics = new Map([['t', range(count)]])
        const first = assign(fleet(before, ['t']), topics)
        const members = [...after(1, fleet(Math.min(before, now), ['t']), first), ...fleet(now, ['t']).slice(before)]
        const second = assign(members, topics)
        const kept = members
          .slice(0, before)
          .reduce(
            (sum, { id }) =>
              sum +
              (second.get(id) ?? []).filter(({ partition }) =>
                first.get(id)?.some((had) => had.partition === partition),
              ).length,
            0,
          )
        const quotas = range(now).map((index) => Math.floor(count / now) + (index < count % now ? 1 : 0))
        const had = range(Math.min(before, now))
          .map((index) => first.get(`m${index}`)!.length)
          .sort((a, b) => b - a)
        const most = had.reduce((sum, own, index) => sum + Math.min(own, quotas[index]!), 0)
        expect(kept).toBe(most)
      },
    ),
  )
})

test('the same members and partitions give the same answer in any order', () => {
  const topics = new Map([
    ['b', range(7)],
    ['a', range(5)],
  ])
  const members = fleet(3, ['a', 'b'])
  expect(assign([...members].reverse(), new Map([...topics].reverse()))).toEqual(assign(members, topics))
})

test('of two that claim a partition, the one with the later generation has it', () => {
  const owned = [{ topic: 't', partition: 0 }]
  const members = [
    { id: 'old', topics: ['t'], owned, generation: 3 },
    { id: 'new', topics: ['t'], owned, generation: 4 },
  ]
  expect(assign(members, new Map([['t', range(2)]])).get('new')).toEqual(owned)
})

test('a member reads only topics it knows', () => {
  const members = [
    { id: 'a', topics: ['x'], owned: [], generation: -1 },
    { id: 'b', topics: ['x', 'y'], owned: [], generation: -1 },
  ]
  const shares = assign(
    members,
    new Map([
      ['x', range(4)],
      ['y', range(2)],
    ]),
  )
  expect(shares.get('a')!.every(({ topic }) => topic === 'x')).toBe(true)
  expect([...shares.values()].flat()).toHaveLength(6)
})
