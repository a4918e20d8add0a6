import { beforeAll, describe, expect, test } from 'vitest'
import type { Projection } from '../../projection/projection.ts'
import { Scene, type ViewHarness } from './view-scene.ts'
import { merged, shelves } from './views.ts'

/** What every ViewReader must do with a view of many rows. */
export function viewReaderContract(name: string, make: (projection: Projection) => Promise<ViewHarness>): void {
  describe(`${name}: view reader`, () => {
    let many: Scene
    let parts: Scene
    beforeAll(async () => {
      many = new Scene(shelves, await make(shelves))
      parts = new Scene(merged, await make(merged))
    })

    test('rows of one partition are listed in clustering order, page by page', async () => {
      const [room, shelf] = ['listed', 3]
      const keys = [5, 1, 4, 2, 3].flatMap((place) => ['b', 'a'].map((part) => ({ room, shelf, place, part })))
      await many.write(
        ...keys.map((key, index) => ({
          key,
          row: key.place === 4 ? null : { ...key, title: 't', note: null, count: null },
          position: index,
          cleared: [],
        })),
      )
      await many.write({
        key: { room, shelf: 4, place: 1, part: 'a' },
        row: { room, shelf: 4, place: 1, part: 'a', title: 'other', note: null, count: null },
        position: 1,
        cleared: [],
      })
      const listed = await many.list({ room, shelf }, 3)
      expect(listed.map(({ key }) => `${key.place}${key.part}`)).toEqual([
        '5a',
        '5b',
        '4a',
        '4b',
        '3a',
        '3b',
        '2a',
        '2b',
        '1a',
        '1b',
      ])
      expect(listed.filter((row) => row.parts[0]?.row === null).map(({ key }) => key.place)).toEqual([4, 4])
    })

    test('a page never cuts the parts of a row', async () => {
      for (const place of [1, 2, 3]) {
        const key = { id: 'paged', place }
        for (const partition of [0, 1, 2])
          await parts.write({
            key,
            row: { ...key, title: 't', note: null },
            position: 1,
            cleared: [],
            source: `contract/${partition}`,
          })
      }
      for (const limit of [1, 2, 3, 4]) {
        expect(
          (await parts.list({ id: 'paged' }, limit)).map(({ key, parts: all }) => [key.place, all.length]),
        ).toEqual([
          [1, 3],
          [2, 3],
          [3, 3],
        ])
      }
    })

    test('a scan gives every row once', async () => {
      const keys = Array.from({ length: 600 }, (_, index) => ({
        room: `scan-${index % 40}`,
        shelf: 0,
        place: index,
        part: 'a',
      }))
      await many.write(
        ...keys.map((key, index) => ({
          key,
          row: { ...key, title: String(index), note: null, count: 1n },
          position: index,
          cleared: [],
        })),
      )
      const seen: unknown[] = []
      for await (const piece of many.harness.reader.scan())
        seen.push(
          ...piece.filter(({ key }) => String(key.room).startsWith('scan-')).map(({ row }) => Number(row?.title)),
        )
      expect(seen.sort((a, b) => Number(a) - Number(b))).toEqual(keys.map((_, index) => index))
    })
  })
}
