import nodeCrypto, { randomUUID } from 'node:crypto'
import process, { env } from 'node:process'
import { describe, expect, test } from 'vitest'
import { carts, defineTopic, type Event } from '../events/index.ts'
import { defineProjection, z } from './index.ts'
import { base, counted, failure, type Note, notes, noting, said, says, started } from './notes.test-data.ts'
import { event, record, specify } from './spec.ts'

describe('then', () => {
  const row = { ...started, id: 'a', n: 2 }

  test('agrees with the rows in any order, whatever was given or came now', () => {
    specify(noting())
      .given(said('a'))
      .when(said('b'), said('a'))
      .then({ ...row, id: 'b', n: 1 }, row)
    specify(noting())
      .when(said('a'), said('a'))
      .then({ ...row, memo: null })
    specify(noting()).then()
  })

  test('tells every difference at once', () => {
    const spec = specify(noting()).when(said('a'), said('b'))
    expect(() => spec.then({ ...row, memo: 'x' }, { ...row, id: 'c' })).toThrow(
      expect.objectContaining({
        code: 'SPEC_FAILED',
        message: expect.stringMatching(
          /row { id: 'a' }: n is 1, expected 2\n.*memo is null, expected 'x'\n.*row { id: 'c' } is missing\n.*row { id: 'b' } is there/,
        ),
      }),
    )
  })

  test('refuses what could never be a row', () => {
    expect(() => specify(noting()).then({ id: 'a' } as never)).toThrow(/column n of view note is missing/)
    expect(() => specify(noting()).then(row, row)).toThrow(/expects row { id: 'a' } twice/)
  })

  test('passes over events that are not subscribed to, and refuses those of other topics', () => {
    specify(noting())
      .when(event(notes, 'Shouted', 'a', {}))
      .then()
    expect(() =>
      specify(noting())
        .when(event(carts, 'OrderPlaced', 'c1', {} as never))
        .then(),
    ).toThrow(/topic carts, but projection note reads notes/)
  })

  test('meets the poison that the projector would', () => {
    expect(failure(noting(), event(notes, 'Said', 'a', { words: 'hello' } as never))).toMatchObject({
      code: 'EVENT_SCHEMA_VIOLATION',
    })
    expect(failure(noting(), record(notes, 'a', '{'))).toMatchObject({ code: 'EVENT_NOT_JSON' })
    expect(
      failure(
        says(() => undefined),
        said(),
      ),
    ).toMatchObject({ code: 'ROW_INVALID' })
    expect(failure(noting({ key: () => ({ id: 'one' }) }), said('a'), said('b'), said('c'))).toMatchObject({
      code: 'ROW_TWO_SOURCES',
    })
  })
})

describe('merge', () => {
  const all = ['a', 'b', 'c', 'd', 'e'].map((id) => said(id))
  const total = (merge: (a: Note, b: Note) => unknown, changes: object = {}) =>
    noting({ key: () => ({ id: 'total' }), merge, ...changes })
  const sum = (a: Note, b: Note) => ({ ...a, n: a.n + b.n })

  test('joins the parts of all partitions', () => {
    specify(total(sum))
      .when(...all)
      .then({ ...started, id: 'total', n: 5 })
  })

  test('leaves out deleted parts', () => {
    const lastNulls = total(sum, { on: { Said: counted, Shouted: () => null } })
    specify(lastNulls, { partitions: 1 })
      .when(...all, event(notes, 'Shouted', 'a', {}))
      .then()
  })

  test.each<[string, ReturnType<typeof noting>]>([
    [
      'that prefers the first part',
      total((a) => a, { on: { Said: (note: Note, { subject }: Event) => ({ ...note, memo: subject }) } }),
    ],
    ['that subtracts', total((a, b) => ({ ...a, n: a.n - b.n }))],
    ['that averages', total((a, b) => ({ ...a, n: Math.trunc((a.n * 100 + b.n) / 2) }))],
    ['with an initial that is not neutral', total(sum, { initial: () => ({ ...started, id: 'total', n: 1 }) })],
  ])('%s is found out', (_, projection) => {
    expect(failure(projection, ...all)).toMatchObject({ code: 'MERGE_INCONSISTENT' })
  })
})

test('topics with their own format are specified by records', () => {
  const csv = defineTopic({
    name: 'csv',
    partitions: 2,
    events: { Said: z.object({ words: z.array(z.string()) }) },
    decode: ({ value }) => ({ type: 'Said', data: { words: `${value}`.split(',') } }),
  })
  const projection = defineProjection({
    ...base,
    topic: csv,
    key: ({ subject }) => ({ id: subject }),
    on: { Said: (note, { data }) => ({ ...note, words: data.words }) },
  })
  specify(projection)
    .when(record(csv, 'a', 'x,y'))
    .then({ ...started, id: 'a', words: ['x', 'y'] })
  expect(() => event(csv, 'Said', 'a', { words: [] })).toThrow(expect.objectContaining({ code: 'USAGE' }))
})

test('everything that was watched is as it was', () => {
  const [date, now, random, uuid, environment] = [Date, Date.now, Math.random, crypto.randomUUID, process.env]
  failure(
    says(() => Date.now()),
    said(),
  )
  specify(noting()).when(said()).rows()
  expect([Date, Date.now, Math.random, crypto.randomUUID, process.env]).toEqual([date, now, random, uuid, environment])
  expect([Date === date, Date.now === now, randomUUID === nodeCrypto.randomUUID, env === process.env]).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(randomUUID()).toHaveLength(36)
})
