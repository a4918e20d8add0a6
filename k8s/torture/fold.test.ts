import { expect, test } from 'vitest'
import { type Entry, Fold } from './fold.ts'

/** What is added to a row; 0 always fails, negative until it is repaired. */
type Added = number

const KEY_A = `key:${Buffer.from('a').toString('base64')}`

function fold(repaired: () => boolean = () => false): Fold<Added, number> {
  return new Fold({
    rowsOf: () => ['a'],
    apply(row, _, added) {
      if (added === 0 || (added < 0 && !repaired())) throw new Error('it fails')
      return (row ?? 0) + added
    },
    code: () => 'HANDLER_FAILED',
    curable: (added) => added < 0,
    parts: false,
  })
}

function log(...added: readonly (Added | undefined)[]): ReadonlyMap<string, readonly Entry<Added>[]> {
  return new Map([
    [
      't/0',
      added.map((event, offset) => ({
        offset,
        key: 'a',
        event,
        fault: 'EVENT_EMPTY',
        content: `at ${offset}`,
        timestamp: offset,
      })),
    ],
  ])
}

const letter = { code: 'HANDLER_FAILED', content: 'at 1', timestamp: 1 }
const nothing = new Map<string, readonly Entry<Added>[]>()
const letters =
  (states: Readonly<Record<string, string>>) =>
  (scope: string, _: string, offset: number): string | undefined =>
    states[`${scope} ${offset}`]

test('what comes behind a dead letter waits in order', () => {
  const view = fold()
  view.take(log(1, 0, 2, 3), letters({ 'row:a 1': 'parked' }))
  expect(view.rows.get('a')).toEqual({ value: 1, position: 0, source: 't/0' })
  expect(view.parked).toEqual(new Map([['t/0 row:a', [1, 2, 3]]]))
  expect(view.letters).toEqual(new Map([['t/0 row:a 1', letter]]))
})

test('when the dead letter is skipped, what waited is applied up to the next that fails', () => {
  const view = fold()
  view.take(log(1, 0, 2, 0, 4), letters({ 'row:a 1': 'parked' }))
  view.take(nothing, letters({ 'row:a 1': 'skipped', 'row:a 3': 'parked' }))
  expect(view.rows.get('a')).toEqual({ value: 3, position: 2, source: 't/0' })
  expect(view.parked).toEqual(new Map([['t/0 row:a', [3, 4]]]))
  expect([...view.letters.keys()]).toEqual(['t/0 row:a 1', 't/0 row:a 3'])
})

test('what cannot be read holds the key, and its rows once it is skipped have what came later', () => {
  const view = fold()
  view.take(log(1, undefined, 2), letters({ [`${KEY_A} 1`]: 'parked' }))
  expect(view.parked).toEqual(new Map([[`t/0 ${KEY_A}`, [1, 2]]]))
  view.take(nothing, letters({ [`${KEY_A} 1`]: 'skipped' }))
  expect(view.rows.get('a')).toEqual({ value: 3, position: 2, source: 't/0' })
})

test('a sound event is expected in its row whatever became of it', () => {
  const view = fold()
  view.take(log(1, 2), letters({ 'row:a 1': 'skipped' }))
  expect(view.rows.get('a')?.value).toBe(3)
  expect(view.letters).toEqual(new Map())
})

test('a dead letter that was retried with a repaired handler is applied in its place', () => {
  let repaired = false
  const view = fold(() => repaired)
  view.take(log(1, -1, 5), letters({ 'row:a 1': 'parked' }))
  repaired = true
  view.take(nothing, letters({ 'row:a 1': 'parked' }))
  expect(view.rows.get('a')?.position).toBe(0)
  view.take(nothing, letters({ 'row:a 1': 'applied' }))
  expect(view.rows.get('a')).toEqual({ value: 5, position: 2, source: 't/0' })
  expect(view.letters).toEqual(new Map([['t/0 row:a 1', letter]]))
})
