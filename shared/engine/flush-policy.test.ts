import { expect, test } from 'vitest'
import { flushTrigger, flushWindow, overfull, type Pending } from './flush-policy.ts'

const limits = { flushRows: 100, flushBytes: 1_000, flushIntervalMs: 1_000 }
const behind: Pending = { rows: 1, bytes: 10, setAside: 0, events: 500, behind: 500, waited: 500 }

test('caught up, whatever there is to write is written at once', () => {
  expect(flushTrigger({ ...behind, behind: 0 }, limits)).toBe('latency')
})

test('behind, rows, bytes and time tell when', () => {
  expect(flushTrigger({ ...behind, behind: 5_000 }, limits)).toBeUndefined()
  expect(flushTrigger({ ...behind, rows: 60, setAside: 40 }, limits)).toBe('rows')
  expect(flushTrigger({ ...behind, bytes: 1_000 }, limits)).toBe('bytes')
  expect(flushTrigger({ ...behind, waited: 1_000, events: 1_000 }, limits)).toBe('time')
})

test.each([
  ['nothing left', { behind: 0 }, 5],
  ['a moment left', { behind: 100, events: 1_000, waited: 1_000 }, 100],
  ['two intervals left', { behind: 2_000, events: 1_000, waited: 1_000 }, 1_000],
  ['an hour left', { behind: 3_600_000, events: 1_000, waited: 1_000 }, 1_000],
  ['an end that is not known yet', { behind: Number.POSITIVE_INFINITY }, 1_000],
  ['nothing folded yet', { events: 0 }, 5],
])('rows are collected for as long as the rest takes: %s', (_, pending, window) => {
  expect(flushWindow({ ...behind, ...pending }, limits)).toBe(window)
})

test('folding waits when a second window is full', () => {
  expect(overfull({ ...behind, rows: 150, setAside: 49 }, limits)).toBe(false)
  expect(overfull({ ...behind, rows: 150, setAside: 50 }, limits)).toBe(true)
  expect(overfull({ ...behind, bytes: 2_000 }, limits)).toBe(true)
})
