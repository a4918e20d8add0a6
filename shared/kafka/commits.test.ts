import { expect, test, vi } from 'vitest'
import { type Commit, Commits } from './commits.ts'

const at = (partition: number, next: number): Commit => ({ source: { topic: 't', partition }, next })
const text = (commits: readonly Commit[]) => commits.map(({ source, next }) => `${source.partition}@${next}`).join(' ')

test('the first goes at once, those that come during the pause go together, and of a partition the last counts', async () => {
  vi.useFakeTimers()
  try {
    const sent: string[] = []
    const commits = new Commits(async (some) => void sent.push(text(some)), 100)
    await commits.add(at(0, 1))
    const later = [commits.add(at(0, 2)), commits.add(at(1, 5)), commits.add(at(0, 3))]
    expect(sent).toEqual(['0@1'])
    await vi.advanceTimersByTimeAsync(100)
    await Promise.all(later)
    expect(sent).toEqual(['0@1', '0@3 1@5'])
  } finally {
    vi.useRealTimers()
  }
})

test('in a hurry nothing waits but for the one under way', async () => {
  const sent: string[] = []
  const gate = Promise.withResolvers<void>()
  const commits = new Commits(async (some) => {
    sent.push(text(some))
    await gate.promise
  })
  const first = commits.add(at(0, 1))
  const second = commits.add(at(0, 2))
  commits.hurry()
  expect(sent).toEqual(['0@1'])
  gate.resolve()
  await Promise.all([first, second, commits.settled()])
  expect(sent).toEqual(['0@1', '0@2'])
})

test('a failure is told to those it carried, and to nobody else', async () => {
  let fail = true
  const commits = new Commits(async () => {
    if (fail) throw new Error('away')
  }, 0)
  await expect(commits.add(at(0, 1))).rejects.toThrow('away')
  fail = false
  await expect(commits.add(at(0, 2))).resolves.toBeUndefined()
})
