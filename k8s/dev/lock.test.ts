import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dropLease, endWithUsers, isUnwanted, keepRunning, takeLease } from './leases.ts'
import { locked } from './lock.ts'
import { alive, self } from './process.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tidemark-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const reused = () => `${process.pid} ${Number(self().started) - 1}\n`

test('a process of the same number that began at another time is another process', () => {
  expect(alive(self())).toBe(true)
  expect(alive({ ...self(), started: 'another time' })).toBe(false)
})

test('work under one lock never overlaps', async () => {
  const lock = join(dir, 'lock')
  let inside = 0
  const work = () =>
    locked(
      lock,
      () => {},
      async () => {
        expect(++inside).toBe(1)
        await new Promise(setImmediate)
        inside--
      },
    )
  await Promise.all([work(), work(), work()])
})

test('a lock whose holder died, or whose number was given to another process, is free', async () => {
  writeFileSync(join(dir, 'lock'), reused())
  expect(
    await locked(
      join(dir, 'lock'),
      () => {},
      async () => 'done',
    ),
  ).toBe('done')
})

test('a stack started by a test run is wanted as long as any run uses it', () => {
  takeLease(dir)
  endWithUsers(dir)
  writeFileSync(join(dir, 'leases', '1'), reused())
  expect(isUnwanted(dir)).toBe(false)
  dropLease(dir)
  expect(isUnwanted(dir)).toBe(true)
})

test('a stack that a person started is never unwanted', () => {
  endWithUsers(dir)
  keepRunning(dir)
  expect(isUnwanted(dir)).toBe(false)
})
