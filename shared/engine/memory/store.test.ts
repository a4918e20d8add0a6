import { describe, expect, test } from 'vitest'
import { isKind } from '../../errors.ts'
import { rowShape } from '../../projection/row.ts'
import {
  deadLetterStoreContract,
  progressStoreContract,
  versionStoreContract,
  viewStoreContract,
} from '../contracts/store.ts'
import { single } from '../contracts/views.ts'
import type { RowWrite } from '../ports.ts'
import { memoryStores } from './store.ts'

viewStoreContract('memory', async (projection) => {
  const { view } = memoryStores(projection)
  const { id } = rowShape(projection.view)
  return {
    view,
    reader: view,
    writeTime: async (key, column, source) => view.writeTime(id(key), column, source),
    expires: async (key, column, source) => view.expires(id(key), column, source),
    refuse: (key) => view.refuse(id(key)),
  }
})
progressStoreContract('memory', async () => memoryStores(single).progress)
versionStoreContract('memory', async () => memoryStores(single).versions)
deadLetterStoreContract('memory', async () => memoryStores(single).deadLetters)

describe('memory stores: faults', () => {
  const write = (id: string, position = 1): RowWrite => ({
    id,
    key: { id },
    row: { id, title: 't', note: null, tags: null },
    cleared: [],
    position,
    source: 'contract/0',
  })
  const writes = Array.from({ length: 20 }, (_, index) => write(`row-${index}`))

  test.each([
    ['none', 0, 0],
    ['some', 1, 19],
    ['all', 20, 20],
  ] as const)('a failing call applies %s of its writes', async (applied, least, most) => {
    const { view, faults, journal } = memoryStores(single)
    faults.failNext(1, { applied })
    await expect(view.write(writes)).rejects.toSatisfy((error) => isKind(error, 'transient'))
    expect(view.rows.size).toBeGreaterThanOrEqual(least)
    expect(view.rows.size).toBeLessThanOrEqual(most)
    expect(journal).toHaveLength(view.rows.size)
    expect(await view.write(writes)).toEqual([])
    expect(view.rows.size).toBe(20)
  })

  test('only the operation that is meant fails', async () => {
    const { view, progress, faults } = memoryStores(single)
    faults.failNext(2, { on: 'progress.save' })
    await view.write(writes)
    for (const _ of [1, 2])
      await expect(
        progress.save({ topic: 'contract', partition: 0 }, { position: 1, fingerprint: undefined, gaps: [] }),
      ).rejects.toThrow('progress.save')
    await progress.save({ topic: 'contract', partition: 0 }, { position: 1, fingerprint: undefined, gaps: [] })
  })

  test('held calls are released in any order, and take effect when they are where they are held before', async () => {
    const { view, faults } = memoryStores(single)
    const gate = faults.hold('before', 'view.write')
    const calls = [view.write([write('a', 1)]), view.write([write('a', 2)]), view.write([write('b', 3)])]
    await gate.waiting(3)
    expect(view.rows.size).toBe(0)
    const [first, second, third] = gate.calls
    third?.fail()
    await expect(calls[2]).rejects.toThrow('view.write')
    second?.release()
    await calls[1]
    first?.release()
    await calls[0]
    expect(view.rows.get('a')).toMatchObject([{ position: 2 }])
    gate.open()
    await view.write([write('c')])
    expect(view.rows.has('c')).toBe(true)
  })

  test('held after, a call has taken effect and nobody knows', async () => {
    const { view, faults } = memoryStores(single)
    const gate = faults.hold('after', 'view.write')
    const call = view.write([write('a')])
    await gate.waiting(1)
    expect(view.rows.size).toBe(1)
    gate.calls[0]?.fail()
    await expect(call).rejects.toThrow('view.write')
  })

  test('an expired marker leaves nothing to be read, and what is older than the deletion still loses', async () => {
    const { view } = memoryStores(single)
    await view.write([{ ...write('a', 4), row: null }])
    expect(view.rows.get('a')).toEqual([{ row: null, position: 4, source: 'contract/0' }])
    view.expireMarkers()
    expect(view.rows.size).toBe(0)
    await view.write([write('a', 3)])
    expect(view.rows.size).toBe(0)
    await view.write([write('a', 5)])
    expect(view.rows.get('a')).toMatchObject([{ position: 5 }])
  })
})
