import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dropped, Feeds } from './seen.ts'

test('what was dropped is never taken for new', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (ids) => {
      const dropped = new Dropped()
      for (const id of ids) dropped.add(id)
      for (const id of ids) expect(dropped.has(id)).toBe(true)
    }),
  )
})

test('with a million rows dropped, few others are taken for one', () => {
  const dropped = new Dropped()
  expect(dropped.has('new')).toBe(false)
  for (let row = 0; row < 1_000_000; row++) dropped.add(`order-${row}`)
  let wrong = 0
  for (let row = 0; row < 100_000; row++) if (dropped.has(`other-${row}`)) wrong++
  expect(wrong).toBeLessThan(3_000)
  dropped.addAll()
  expect(dropped.has('new')).toBe(true)
})

test('the partition that met a row before is named, and not the one that asks', () => {
  const feeds = new Feeds()
  expect(feeds.meet('a', 't/0')).toBeUndefined()
  expect(feeds.meet('a', 't/0')).toBeUndefined()
  expect(feeds.meet('a', 't/1')).toBe('t/0')
  expect(feeds.meet('a', 't/0')).toBe('t/1')
})
