import { expect, test } from 'vitest'
import { broken, claims } from './claims.ts'
import { reportOf, reportText } from './report.ts'

const run = { seed: 1, servers: 1, began: new Date(0), failed: undefined }
const round = {
  faults: ['poison: audit'],
  events: 1,
  differences: [],
  kind: 'poison' as const,
  stalledMs: 0,
  takeovers: 0,
  audits: 1,
  deadLetters: 0,
  waiting: 0,
  seconds: 1,
}

test('what happened to the log itself is among the faults', () => {
  const { faults } = reportOf(run, [{ ...round, measured: {}, delayMs: 1 }], ['log: partitions added'])
  expect(faults).toEqual({ 'poison: audit': 1, 'log: partitions added': 1 })
})

test('of each claim it is said whether it was reached', () => {
  const measured = { takeoverAfterKillMs: 6_900, takeoverAfterRebalanceMs: 1_100 }
  const text = reportText(reportOf(run, [{ ...round, measured, delayMs: undefined }], []))
  expect(text).toContain('| 6.9 | 7 | reached |')
  expect(text).toContain('| 1.1 | 1 | not reached |')
  expect(text).toContain('| not measured | 1 |  |')
})

test('what takes too long on any machine is a difference', () => {
  expect(broken({ takeoverAfterKill: claims.takeoverAfterKill.fails, delayUnderPoison: undefined })).toEqual([])
  expect(broken({ takeoverAfterKill: claims.takeoverAfterKill.fails + 1 })).toHaveLength(1)
})
