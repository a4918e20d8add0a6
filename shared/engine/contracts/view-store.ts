import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Projection } from '../../projection/projection.ts'
import { slot, stamp } from '../stamp.ts'
import { random } from './random-writes.ts'
import { viewReaderContract } from './view-reader.ts'
import { type Given, Scene, SOURCE, type ViewHarness } from './view-scene.ts'
import { viewValuesContract } from './view-values.ts'
import { merged, shelves, single } from './views.ts'

/** What every ViewStore and ViewReader must do. `make` gives an empty view of the projection. */
export function viewStoreContract(name: string, make: (projection: Projection) => Promise<ViewHarness>): void {
  viewValuesContract(name, make)
  viewReaderContract(name, make)

  describe(`${name}: view store`, () => {
    let one: Scene
    let many: Scene
    let parts: Scene
    beforeAll(async () => {
      one = new Scene(single, await make(single))
      many = new Scene(shelves, await make(shelves))
      parts = new Scene(merged, await make(merged))
    })

    test('a key without a row is absent', async () => {
      expect((await one.harness.view.read([one.named({ id: 'nobody' })], SOURCE)).size).toBe(0)
      expect(await one.harness.reader.get({ id: 'nobody' })).toBeUndefined()
    })

    test('a late write loses, whatever the two writes do', async () => {
      for (const early of ['row', 'delete'] as const) {
        for (const late of ['row', 'delete'] as const) {
          const key = { id: `${early}-${late}` }
          const write = (what: 'row' | 'delete', position: number): Given => ({
            key,
            row: what === 'row' ? { ...key, title: String(position), note: null, tags: null } : null,
            position,
            cleared: ['note', 'tags'],
          })
          await one.write(write(late, 9))
          await one.write(write(early, 5))
          expect(await one.read(key)).toEqual({
            row: late === 'row' ? { ...key, title: '9', note: null, tags: null } : null,
            position: 9,
            source: SOURCE,
          })
        }
      }
    })

    test('the same write twice changes nothing, write times included, and those are the stamp of the position', async () => {
      const key = { id: 'twice' }
      const write = { key, row: { ...key, title: 't', note: 'n', tags: new Set(['x']) }, position: 7, cleared: [] }
      for (const _ of [1, 2]) {
        await one.write(write)
        for (const column of ['title', 'note', 'tags', 'tm_position', 'tm_source']) {
          expect(await one.harness.writeTime(key, column, SOURCE)).toBe(stamp(7, slot.write))
        }
      }
      expect(await one.read(key)).toEqual({ row: write.row, position: 7, source: SOURCE })
    })

    test('a deleted row leaves a marker that expires', async () => {
      for (const scene of [one, parts]) {
        const key = scene === one ? { id: 'gone' } : { id: 'gone', place: 1 }
        await scene.write({ key, row: { ...key, title: 't', note: 'n' }, position: 3, cleared: [] })
        await scene.write({ key, row: null, position: 4, cleared: [] })
        await scene.write({ key, row: null, position: 4, cleared: [] })
        expect(await scene.read(key)).toEqual({ row: null, position: 4, source: SOURCE })
        expect(await scene.harness.writeTime(key, 'title', SOURCE)).toBeUndefined()
        expect(await scene.harness.writeTime(key, 'tm_deleted_at', SOURCE)).toBe(stamp(4, slot.write))
        expect(await scene.harness.expires(key, 'tm_deleted_at', SOURCE)).toBe(true)
        expect(await scene.harness.expires(key, 'tm_position', SOURCE)).toBe(true)
        expect((await scene.harness.reader.get(key))?.parts).toEqual([{ row: null, position: 4, source: SOURCE }])
      }
    })

    test('a row made again after its deletion has nothing of what it was, and does not expire', async () => {
      const key = { id: 'again' }
      await one.write({
        key,
        row: { ...key, title: 'old', note: 'old', tags: new Set(['old']) },
        position: 1,
        cleared: [],
      })
      await one.write({ key, row: null, position: 2, cleared: [] })
      await one.write({ key, row: { ...key, title: 'new', note: null, tags: null }, position: 3, cleared: [] })
      expect(await one.read(key)).toEqual({
        row: { ...key, title: 'new', note: null, tags: null },
        position: 3,
        source: SOURCE,
      })
      expect(await one.harness.expires(key, 'tm_position', SOURCE)).toBe(false)
      expect(await one.harness.expires(key, 'title', SOURCE)).toBe(false)
    })

    test('deleted and made again between two flushes: what is cleared is gone without the delete having been written', async () => {
      const key = { id: 'coalesced' }
      const old = { ...key, title: 'old', note: 'old', tags: new Set(['old']) }
      const made = { ...key, title: 'new', note: null, tags: null }
      const expectMade = async () => expect(await one.read(key)).toEqual({ row: made, position: 3, source: SOURCE })
      await one.write({ key, row: old, position: 1, cleared: [] })
      await one.write({ key, row: made, position: 3, cleared: ['note', 'tags'] })
      await expectMade()
      await one.write({ key, row: null, position: 2, cleared: [] })
      await one.write({ key, row: old, position: 1, cleared: [] })
      await expectMade()
    })

    test('each source has a part of its own where the view has merge', async () => {
      const key = { id: 'parts', place: 1 }
      const row = (title: string) => ({ ...key, title, note: null })
      await parts.write(
        { key, row: row('from 0'), position: 8, cleared: [] },
        { key, row: row('from 1'), position: 2, cleared: [], source: 'contract/1' },
      )
      await parts.write(
        { key, row: null, position: 3, cleared: [], source: 'contract/1' },
        { key, row: row('from 2'), position: 1, cleared: [], source: 'contract/2' },
      )
      expect(await parts.read(key)).toEqual({ row: row('from 0'), position: 8, source: 'contract/0' })
      expect(await parts.read(key, 'contract/1')).toEqual({ row: null, position: 3, source: 'contract/1' })
      expect(
        (await parts.harness.reader.get(key))?.parts.map(({ source, row: part }) => [source, part?.title]),
      ).toEqual([
        ['contract/0', 'from 0'],
        ['contract/1', undefined],
        ['contract/2', 'from 2'],
      ])
    })

    test('refused rows are named, the others of the call are durable', async () => {
      const keys = ['a', 'x'.repeat(70_000), 'b', 'c'].map((id) => ({ id }))
      one.harness.refuse(keys[1]!)
      const refusals = await one.harness.view.write(
        keys.map((key) =>
          one.given({ key, row: { ...key, title: 'kept', note: null, tags: null }, position: 1, cleared: [] }),
        ),
      )
      expect(refusals.map(({ id }) => id.length)).toEqual([70_000])
      for (const key of [keys[0]!, keys[2]!, keys[3]!])
        expect((await one.read(key))?.row).toMatchObject({ title: 'kept' })
    })

    test('writes in any order, repeated and split over concurrent calls, end as the same writes in order', async () => {
      for (const scene of [one, many, parts]) {
        await fc.assert(
          fc.asyncProperty(random(scene.projection, scene.next), async ({ calls, last, untouched }) => {
            await Promise.all(calls.map((call) => scene.harness.view.write(call.map((write) => scene.given(write)))))
            for (const { key, row, position, source } of last) {
              expect(await scene.read(key, source)).toEqual({ row, position, source })
              expect(await scene.harness.writeTime(key, 'tm_position', source)).toBe(stamp(position, slot.write))
              if (row) expect(await scene.harness.writeTime(key, 'title', source)).toBe(stamp(position, slot.write))
            }
            for (const key of untouched) expect(await scene.harness.reader.get(key)).toBeUndefined()
          }),
          { numRuns: 25 },
        )
      }
    })
  })
}
