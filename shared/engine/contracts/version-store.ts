import { beforeAll, describe, expect, test } from 'vitest'
import type { VersionRecord, VersionStore } from '../ports.ts'

/** What every VersionStore must do. `make` gives a store that knows no version. */
export function versionStoreContract(name: string, make: () => Promise<VersionStore>): void {
  describe(`${name}: version store`, () => {
    let store: VersionStore
    beforeAll(async () => {
      store = await make()
    })
    const record = (projection: string, version: number, definition = 'abc'): VersionRecord => ({
      projection,
      version,
      definition,
      partitions: { carts: 12, stock: 3 },
      table: `${projection}_v${version}`,
    })

    test('nothing is known before something is saved', async () => {
      expect(await store.load({ name: 'nobody', version: 1 })).toBeUndefined()
    })

    test('versions come back as saved, and are listed', async () => {
      const saved = [record('a', 1), record('a', 2), record('b', 1)]
      for (const one of saved) await store.save(one)
      await store.save(saved[0]!)
      expect(await store.load({ name: 'a', version: 2 })).toEqual(saved[1])
      expect((await store.list()).filter(({ projection }) => ['a', 'b'].includes(projection))).toEqual(saved)
    })

    test('of two records of one version one is kept as a whole', async () => {
      const [left, right] = [
        record('torn', 1, 'zzz'),
        { ...record('torn', 1, 'aaa'), partitions: { carts: 99 }, table: 'zzz' },
      ]
      await Promise.all([store.save(left), store.save(right)])
      expect([left, right]).toContainEqual(await store.load({ name: 'torn', version: 1 }))
    })
  })
}
