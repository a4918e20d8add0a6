import fc from 'fast-check'
import { beforeAll, describe, test } from 'vitest'
import type { Projection } from '../../projection/projection.ts'
import type { AnyRow } from '../../projection/row.ts'
import { Scene, type ViewHarness } from './view-scene.ts'
import { everyType, typeOf, valuesOf } from './views.ts'

/** A view gives back every value as it was written. */
export function viewValuesContract(name: string, make: (projection: Projection) => Promise<ViewHarness>): void {
  describe(`${name}: values`, () => {
    let every: Scene
    beforeAll(async () => {
      every = new Scene(everyType, await make(everyType))
    })

    test('every column type comes back as it was written, edge values included', async () => {
      const someKey = crypto.randomUUID()
      const edges: readonly AnyRow[] = [
        {
          someDouble: Number.NaN,
          someDate: '0001-01-01',
          someInt: -(2 ** 31),
          someBigint: -(1n << 63n),
          someText: '',
          someBlob: new Uint8Array(0),
          textList: [],
          textSet: new Set(),
          textMap: new Map(),
          nested: new Map([
            [0, []],
            [1, [new Set()]],
          ]),
          lists: [[], [1]],
        },
        {
          someDouble: -0,
          someDate: '9999-12-31',
          someInt: 2 ** 31 - 1,
          someBigint: (1n << 63n) - 1n,
          someText: 'ü\u0000😀',
          someBlob: new Uint8Array([0, 255]),
          doubleList: [-0, 0, Number.NaN, Number.POSITIVE_INFINITY],
          blobList: [new Uint8Array(0)],
          textList: ['', 'a'],
        },
        {
          someDouble: Number.NEGATIVE_INFINITY,
          someDate: '1969-12-31',
          someDecimal: '-0.00',
          someBoolean: false,
          someTimestamp: new Date(-62_135_596_800_000),
          decimalSet: new Set(['1.0', '-1', '1.01', '100']),
        },
        {
          someDouble: 5e-324,
          someDate: '0099-02-28',
          someDecimal: `-${'9'.repeat(40)}.${'1'.repeat(20)}`,
          someBoolean: true,
          someTimestamp: new Date(8.64e15),
        },
        {},
      ]
      for (const [position, edge] of edges.entries()) {
        const row = every.shape.row({ someKey, ...edge }, { someKey })
        await every.write({ key: { someKey }, row, position, cleared: Object.keys(row) })
        every.expectSame(await every.read({ someKey }), row, position)
      }
    })

    test('any value of any type comes back as it was written', async () => {
      const cells = Object.entries(everyType.view.columns).filter(([column]) => column !== 'someKey')
      const rows = fc.record({
        someKey: fc.uuid(),
        ...Object.fromEntries(cells.map(([column, type]) => [column, fc.option(valuesOf(typeOf(type)), { freq: 8 })])),
      })
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(rows, { minLength: 1, maxLength: 10, selector: ({ someKey }) => someKey }),
          async (written) => {
            const position = every.next()
            for (const row of written) Object.assign(row, every.shape.row(row, { someKey: row.someKey }))
            await every.write(
              ...written.map((row) => ({ key: { someKey: row.someKey }, row, position, cleared: Object.keys(row) })),
            )
            for (const row of written) every.expectSame(await every.read({ someKey: row.someKey }), row, position)
          },
        ),
        { numRuns: 25 },
      )
    })
  })
}
