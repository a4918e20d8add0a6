import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Progress, ProgressStore } from '../ports.ts'

/** What every ProgressStore must do. `make` gives the store of a version that has recorded nothing. */
export function progressStoreContract(name: string, make: () => Promise<ProgressStore>): void {
  describe(`${name}: progress store`, () => {
    let store: ProgressStore
    beforeAll(async () => {
      store = await make()
    })
    let partition = 0
    const fresh = () => ({ topic: 'contract', partition: partition++ })
    const progress = (position: number, gaps: Progress['gaps'] = []): Progress => ({
      position,
      fingerprint: `print of ${position}`,
      gaps,
    })

    test('nothing is known before something is saved', async () => {
      expect(await store.load(fresh())).toBeUndefined()
    })

    test('what was saved comes back, each partition its own', async () => {
      const [a, b] = [fresh(), fresh()]
      await store.save(
        a,
        progress(7, [
          [0, 3],
          [5, 6],
        ]),
      )
      await store.save(b, { position: -1, fingerprint: undefined, gaps: [] })
      expect(await store.load(a)).toEqual(
        progress(7, [
          [0, 3],
          [5, 6],
        ]),
      )
      expect(await store.load(b)).toEqual({ position: -1, fingerprint: undefined, gaps: [] })
      expect(await store.list()).toEqual(
        expect.arrayContaining([
          {
            source: a,
            progress: progress(7, [
              [0, 3],
              [5, 6],
            ]),
          },
        ]),
      )
    })

    test('an older record never replaces a newer one, in whatever order and however often they are saved', async () => {
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 10, 100, 1, 3, 100], { minLength: 2 }), async (positions) => {
          const source = fresh()
          await Promise.all(positions.map((position) => store.save(source, progress(position))))
          expect(await store.load(source)).toEqual(progress(Math.max(...positions)))
        }),
        { numRuns: 20 },
      )
    })

    test('a gap noticed at a position that was saved already is kept, and not forgotten by saving that again', async () => {
      const source = fresh()
      const grown: Progress['gaps'][] = [
        [],
        [[5, 9]],
        [[5, 120]],
        [
          [5, 120],
          [130, 131],
        ],
      ]
      for (const gaps of grown) {
        await store.save(source, progress(4, gaps))
        await store.save(source, progress(4))
        expect((await store.load(source))?.gaps).toEqual(gaps)
      }
    })
  })
}
