import { beforeAll, describe, expect, test } from 'vitest'
import type { Served, VersionRecord, VersionStore } from '../ports.ts'

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

    test('a record that names its tables replaces one that does not, whichever is written last', async () => {
      const named = { ...record('tables', 1), tables: { tables_v1: 'x', tm_dead_letters: 'y' } }
      for (const one of [record('tables', 1), named, record('tables', 1)]) await store.save(one)
      expect(await store.load({ name: 'tables', version: 1 })).toEqual(named)
    })

    test('of two records of one version one is kept as a whole', async () => {
      const [left, right] = [
        record('torn', 1, 'zzz'),
        { ...record('torn', 1, 'aaa'), partitions: { carts: 99 }, table: 'zzz' },
      ]
      await Promise.all([store.save(left), store.save(right)])
      expect([left, right]).toContainEqual(await store.load({ name: 'torn', version: 1 }))
    })

    test('readers see the first version that was saved, whatever is saved beside it', async () => {
      expect(await store.served('first')).toBeUndefined()
      for (const version of [2, 3, 1, 2]) await store.save(record('first', version))
      expect(await store.served('first')).toEqual({
        projection: 'first',
        version: 2,
        previous: null,
        undone: null,
        turn: 0,
      })
    })

    test('readers see what the latest turn says, however late an earlier one is written', async () => {
      const at = (turn: number, version: number): Served => ({
        projection: 'turns',
        version,
        previous: turn,
        undone: null,
        turn,
      })
      await store.save(record('turns', 9))
      for (const one of [at(1, 2), at(2, 1), at(2, 1), at(1, 3)]) await store.serve(one)
      expect(await store.served('turns')).toEqual(at(2, 1))
      await store.save(record('turns', 4))
      expect(await store.served('turns')).toEqual(at(2, 1))
    })

    test('of two who take one turn, one is kept as a whole', async () => {
      const [left, right] = [
        { projection: 'tied', version: 2, previous: 1, undone: null, turn: 1 },
        { projection: 'tied', version: 3, previous: 7, undone: 9, turn: 1 },
      ]
      await Promise.all([store.serve(left), store.serve(right)])
      expect([left, right]).toContainEqual(await store.served('tied'))
    })
  })
}
