import { expect, test } from 'vitest'
import type { Served } from '../../shared/engine/ports.ts'
import { KEPT_MS, servedVersions } from './served.ts'

/** A store whose answer the test sets, and a clock that it moves. */
function world() {
  const state = { at: 0, reads: 0, answer: async (): Promise<Served | undefined> => undefined }
  const changes: string[] = []
  const served = servedVersions({
    versions: {
      served: () => {
        state.reads++
        return state.answer()
      },
    },
    now: () => state.at,
    changed: (...change) => changes.push(change.join(' ')),
  })
  return { state, changes, served }
}

const record = (version: number, turn: number): Served => ({
  projection: 'meter',
  version,
  previous: null,
  undone: null,
  turn,
})

test('a switch is seen after two seconds, and until then nothing is read again', async () => {
  const { state, changes, served } = world()
  state.answer = async () => record(1, 0)
  expect(await Promise.all([served('meter'), served('meter')])).toEqual([1, 1])
  state.answer = async () => record(2, 1)
  state.at = KEPT_MS - 1
  expect([await served('meter'), state.reads]).toEqual([1, 1])
  state.at = KEPT_MS
  expect([await served('meter'), changes]).toEqual([2, ['meter 2 1']])
})

test('while it cannot be read, what was known holds on; without anything known the failure is told, and not kept', async () => {
  const { state, served } = world()
  state.answer = () => Promise.reject(new Error('away'))
  await expect(served('meter')).rejects.toThrow('away')
  state.answer = async () => record(1, 0)
  expect(await served('meter')).toBe(1)
  state.answer = () => Promise.reject(new Error('away'))
  state.at = KEPT_MS
  expect(await served('meter')).toBe(1)
})

test('a look that has seen an earlier turn does not take readers back', async () => {
  const { state, served } = world()
  state.answer = async () => record(2, 1)
  expect(await served('meter')).toBe(2)
  state.answer = async () => record(1, 0)
  state.at = KEPT_MS
  expect(await served('meter')).toBe(2)
})
