import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredRow } from '../../../shared/engine/index.ts'
import type { AnyRow } from '../../../shared/projection/row.ts'
import { arena, type Dislikes } from '../../../shared/testing/arena.ts'
import { happening, live, type World } from '../../../shared/testing/histories.ts'

import { type VerifyOptions, type VerifyPorts, verify } from './verify.ts'

function portsOf({ kafka, stores }: World): VerifyPorts {
  return {
    log: kafka.log,
    reader: stores.view,
    deadLetters: stores.deadLetters,
    progress: stores.progress,
    clock: { now: () => performance.now(), sleep: async () => {} },
  }
}

function verified(world: World, options: VerifyOptions = {}) {
  return verify(world.projection, portsOf(world), { catchUpMs: 0, ...options })
}

const history = fc.array(happening, { maxLength: 80 })
const numRuns = Number(process.env.RUNS ?? 150)

test('after any history of events, poison, rebalances, skips and retries there is no difference', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.constantFrom('park' as const, 'skip' as const), async (happenings, onPoison) => {
      const dislikes: Dislikes = { note: 'poison' }
      const world = arena({ dislikes, settings: { onPoison } })
      await live(world, happenings, dislikes)
      const result = await verified(world)
      expect(result.differences).toEqual([])
      expect(result.ok).toBe(true)
      // However small the slices, the result is the same.
      const { seconds: _, ...whole } = result
      const { seconds: __, ...sliced } = await verified(world, { limits: { rows: 1 } })
      expect(sliced).toEqual(whole)
    }),
    { numRuns, timeout: 5_000 },
  )
}, 120_000)

const damage = fc.record({
  row: fc.nat(),
  what: fc.constantFrom('drop', 'sum', 'log', 'note', 'position', 'source', 'delete', 'invent'),
  by: fc.integer({ min: 1, max: 5 }),
})

test('after any history one damaged cell, position, source or row is found', async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      damage,
      fc.integer({ min: 1, max: 10 }),
      async (happenings, { row: index, what, by }, rows) => {
        const dislikes: Dislikes = { note: 'poison' }
        const world = arena({ dislikes })
        await live(world, happenings, dislikes)
        const stored: (StoredRow & { readonly key: AnyRow })[] = []
        for await (const piece of world.stores.view.scan()) stored.push(...piece)
        const alive = stored.filter(({ row }) => row !== null)
        const target = alive[index % Math.max(1, alive.length)]
        fc.pre(target !== undefined && target.row !== null)
        const { row } = target
        const damaged = {
          drop: [],
          sum: [{ ...target, row: { ...row, sum: BigInt(String(row.sum)) + BigInt(by) } }],
          log: [{ ...target, row: { ...row, log: `${row.log}!` } }],
          note: [{ ...target, row: { ...row, note: row.note === null ? 'note' : null } }],
          position: [{ ...target, position: target.position + by }],
          source: [{ ...target, source: `operations/${(Number(target.source.at(-1)) + 1) % 3}` }],
          delete: [{ ...target, row: null }],
          invent: [target, { ...target, key: { id: 'ghost' } }],
        }[what]
        const scan = async function* () {
          yield stored.flatMap((one) => (one === target ? damaged : [one]))
        }
        const result = await verify(
          world.projection,
          { ...portsOf(world), reader: { scan } },
          { catchUpMs: 0, limits: { rows } },
        )
        expect(result.differenceCount).toBe(1)
      },
    ),
    { numRuns, timeout: 5_000 },
  )
}, 120_000)
