import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { LogRecord } from '../../events/event.ts'
import type { Source } from '../../events/position.ts'
import type { DeadLetter, DeadLetterDesk, DeadLetterStore, Request, Scope } from '../ports.ts'

const SCOPE: Scope = 'row:4:a/ b3:ü d'

/** What every DeadLetterStore must do, seen by the worker and by the person at the desk. `make` gives an empty one. */
export function deadLetterStoreContract(name: string, make: () => Promise<DeadLetterStore & DeadLetterDesk>): void {
  describe(`${name}: dead letter store`, () => {
    let store: DeadLetterStore & DeadLetterDesk
    beforeAll(async () => {
      store = await make()
    })
    let partition = 0
    const fresh = () => ({ topic: 'contract', partition: partition++ })
    const offsets = async (source: Source, scope: Scope, from = 0) =>
      (await gathered(store.events(source, scope, from))).map(({ offset }) => offset)
    const park = (source: Source, letters: readonly number[], events: readonly number[], scope = SCOPE) =>
      store.record(
        source,
        letters.map((offset) => letter(source, offset, scope)),
        events.map((offset) => ({ scope, since: letters[0] ?? 0, record: record(offset) })),
      )

    test('nothing is set aside at first', async () => {
      expect(await store.load(fresh())).toEqual({ parked: new Map(), skipped: new Set(), resolved: new Set() })
    })

    test('a dead letter parks its scope and is kept with everything the record had', async () => {
      const source = fresh()
      const records: readonly LogRecord[] = [
        {
          offset: 10,
          timestamp: 1_700_000_000_123,
          key: Buffer.from([0, 255]),
          value: Buffer.from('not json'),
          headers: { a: Buffer.from([1, 2]), b: 'text', c: ['x', Buffer.from([3])], d: null },
        },
        { offset: 11, timestamp: 0, key: null, value: null, headers: {} },
        { offset: 12, timestamp: 1, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: { '': '' } },
      ]
      const letters = records.map(
        (one, index): DeadLetter => ({
          source,
          scope: index === 2 ? 'key:AP8=' : SCOPE,
          record: one,
          code: 'HANDLER_FAILED',
          reason: 'because: ü',
          state: 'parked',
        }),
      )
      await store.record(source, letters, [])
      expect(await store.load(source)).toEqual({
        parked: new Map([
          [SCOPE, 10],
          ['key:AP8=', 12],
        ]),
        skipped: new Set(),
        resolved: new Set(),
      })
      expect(await gathered(store.list(source))).toEqual(letters)
      expect(await store.find(source, SCOPE, 11)).toEqual(letters[1])
      expect(await store.find(source, SCOPE, 12)).toBeUndefined()
      expect(await gathered(store.events(source, SCOPE, 0))).toEqual(records.slice(0, 2))
    })

    test('recording the same again changes nothing', async () => {
      const source = fresh()
      for (const _ of [1, 2]) await park(source, [10], [11, 15])
      expect(await gathered(store.list(source))).toHaveLength(1)
      expect(await offsets(source, SCOPE)).toEqual([10, 11, 15])
    })

    test('events of a scope come in log order, from where they are asked for, over many pages', async () => {
      const source = fresh()
      const parked = Array.from({ length: 130 }, (_, index) => 5 + index)
      await park(source, [4], parked.toReversed())
      await park(source, [], [50], 'key:AA==')
      expect(await offsets(source, SCOPE)).toEqual([4, ...parked])
      expect(await offsets(source, SCOPE, 100)).toEqual(parked.filter((offset) => offset >= 100))
      expect(await offsets({ ...source, topic: 'other' }, SCOPE)).toEqual([])
    })

    test('released up to an offset: a late writer can not park again what was let go', async () => {
      const source = fresh()
      await park(source, [10], [11, 12, 13])
      await store.resolve(source, SCOPE, 10, 'applied', 13)
      for (const late of [
        () => undefined,
        () => park(source, [10], [11, 12, 13]),
        () => store.release(source, SCOPE, 12, 12),
      ]) {
        await store.release(source, SCOPE, 13, 13)
        await late()
        expect((await store.load(source)).parked).toEqual(new Map())
        expect(await offsets(source, SCOPE)).toEqual([])
        expect((await store.find(source, SCOPE, 10))?.state).toBe('applied')
      }
    })

    test('an event that is parked after its scope was let go holds it again, and its dead letter is told to be resolved', async () => {
      const source = fresh()
      await park(source, [10], [11])
      await store.resolve(source, SCOPE, 10, 'skipped', 11)
      await store.release(source, SCOPE, 11, 11)
      await store.record(source, [], [{ scope: SCOPE, since: 10, record: record(12) }])
      expect(await store.load(source)).toEqual({
        parked: new Map([[SCOPE, 10]]),
        resolved: new Set([SCOPE]),
        skipped: new Set([`10/${SCOPE}`]),
      })
      expect(await offsets(source, SCOPE, 10)).toEqual([12])
      await store.release(source, SCOPE, 12, 12)
      expect((await store.load(source)).parked).toEqual(new Map())
    })

    test('what was skipped at once, and what has no key, parks nothing', async () => {
      const source = fresh()
      await store.record(source, [{ ...letter(source, 5, SCOPE), state: 'skipped' }, letter(source, 6, 'key:')], [])
      expect((await store.load(source)).parked).toEqual(new Map())
      expect(await gathered(store.list(source))).toHaveLength(2)
      expect(await offsets(source, 'key:', 6)).toEqual([6])
    })

    test('the next poison event of a scope parks it again, before or after the first is released', async () => {
      for (const order of ['before', 'after', 'at once'] as const) {
        const source = fresh()
        await park(source, [10], [11, 12, 13])
        const steps = [() => park(source, [12], []), () => store.release(source, SCOPE, 11, 13)]
        if (order === 'at once') await Promise.all(steps.map((step) => step()))
        else for (const step of order === 'before' ? steps : steps.toReversed()) await step()
        expect((await store.load(source)).parked).toEqual(new Map([[SCOPE, 12]]))
        expect(await offsets(source, SCOPE)).toEqual([12, 13])
      }
    })

    test('a scope is held from its first dead letter on, while that is not released', async () => {
      const source = fresh()
      await park(source, [20], [])
      await park(source, [10], [])
      expect((await store.load(source)).parked).toEqual(new Map([[SCOPE, 10]]))
    })

    test('a decision about a dead letter holds against recording it late, and the later decision against the earlier', async () => {
      const source = fresh()
      await store.resolve(source, SCOPE, 10, 'skipped', 10)
      expect(await store.find(source, SCOPE, 10)).toBeUndefined()
      await park(source, [10], [])
      expect((await store.find(source, SCOPE, 10))?.state).toBe('skipped')
      expect((await store.load(source)).skipped).toEqual(new Set([`10/${SCOPE}`]))
      await park(source, [20], [])
      await store.resolve(source, SCOPE, 20, 'applied', 20)
      await park(source, [20], [])
      expect((await store.find(source, SCOPE, 20))?.state).toBe('applied')
      await store.resolve(source, SCOPE, 10, 'applied', 12)
      await store.resolve(source, SCOPE, 10, 'skipped', 10)
      expect((await store.find(source, SCOPE, 10))?.state).toBe('applied')
      expect((await store.load(source)).skipped).toEqual(new Set())
    })

    test('decisions about events that are not folded again are not loaded, but those behind the first that waits are', async () => {
      const source = fresh()
      for (const offset of [10, 20, 30]) {
        await park(source, [offset], [], `row:${offset}`)
        await store.resolve(source, `row:${offset}`, offset, 'skipped', offset)
        await store.release(source, `row:${offset}`, offset, offset)
      }
      expect((await store.load(source, 20)).skipped).toEqual(new Set(['20/row:20', '30/row:30']))
      expect((await store.load(source, 31)).skipped).toEqual(new Set())
      await park(source, [15], [16])
      await store.resolve(source, SCOPE, 15, 'applied', 15)
      expect(await store.load(source, 31)).toEqual({
        parked: new Map([[SCOPE, 15]]),
        resolved: new Set([SCOPE]),
        skipped: new Set(['20/row:20', '30/row:30']),
      })
      expect((await store.load(source)).skipped.size).toBe(3)
    })

    test('a release keeps to its scope and its partition', async () => {
      const [source, other] = [fresh(), fresh()]
      await park(source, [10], [11])
      await park(source, [10], [11], 'row:other')
      await park(other, [10], [11])
      await store.release(source, SCOPE, 20, 20)
      expect((await store.load(source)).parked).toEqual(new Map([['row:other', 10]]))
      expect(await offsets(source, 'row:other')).toEqual([10, 11])
      expect(await offsets(other, SCOPE)).toEqual([10, 11])
    })

    test('parking and releasing end the same in any order', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray(['park 10', 'park 12', 'release 11', 'release 15', 'park 16', 'park 10', 'release 11'], {
            minLength: 7,
          }),
          async (steps) => {
            const source = fresh()
            await Promise.all(
              steps.map((step) =>
                step.startsWith('park')
                  ? park(source, [Number(step.slice(5))], [])
                  : store.release(source, SCOPE, Number(step.slice(8)), Number(step.slice(8))),
              ),
            )
            expect((await store.load(source)).parked).toEqual(new Map([[SCOPE, 16]]))
            expect(await offsets(source, SCOPE)).toEqual([16])
          },
        ),
        { numRuns: 20 },
      )
    })

    test('a request waits for the owner of its partition, is answered once, and is gone', async () => {
      const [source, other] = [fresh(), fresh()]
      const request: Request = { id: 'r1', action: 'retry', source, scope: SCOPE, offset: 10 }
      for (const _ of [1, 2]) await store.ask(request)
      expect(await store.requests(source)).toEqual([request])
      expect(await store.requests(other)).toEqual([])
      expect(await store.outcome(source, 'r1')).toBeUndefined()
      await store.answer(request, { done: true, message: 'applied 3 events' })
      await store.ask(request)
      expect(await store.requests(source)).toEqual([])
      expect(await store.outcome(source, 'r1')).toEqual({ done: true, message: 'applied 3 events' })
    })

    test('of two answers one is kept as a whole', async () => {
      const source = fresh()
      const request: Request = { id: 'r2', action: 'skip', source, scope: SCOPE, offset: 10 }
      const outcomes = [
        { done: true, message: 'a' },
        { done: false, message: 'z' },
      ]
      await store.ask(request)
      await Promise.all(outcomes.map((outcome) => store.answer(request, outcome)))
      expect(outcomes).toContainEqual(await store.outcome(source, 'r2'))
    })
  })
}

function record(offset: number): LogRecord {
  return { offset, timestamp: offset, key: Buffer.from('k'), value: Buffer.from(`value of ${offset}`), headers: {} }
}

function letter(source: Source, offset: number, scope: Scope): DeadLetter {
  return {
    source,
    scope,
    record: record(offset),
    code: 'HANDLER_FAILED',
    reason: `reason of ${offset}`,
    state: 'parked',
  }
}

async function gathered<T>(pieces: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const piece of pieces) all.push(...piece)
  return all
}
