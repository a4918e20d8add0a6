import { describe, expect, test } from 'vitest'
import { encodeStructured } from '../../shared/events/encode.ts'
import type { LogRecord } from '../../shared/events/event.ts'
import { contentOfRecord } from './content.ts'
import type { Folded } from './fold.ts'
import { Judge } from './judge.ts'
import type { Account, Shop } from './oracle.ts'
import type { StoredLetter } from './stored.ts'

const SOURCE = 't/0'

/** Three events of a1, then one of a2 that fails, one that waits behind it, and one that nobody can read. */
const records: readonly LogRecord[] = [
  event('Noted', 'a1', { note: 'x' }),
  event('Unnoted', 'a1', {}),
  event('Credited', 'a1', { shop: 's1', cents: 7 }),
  event('Cursed', 'a2', {}),
  event('Noted', 'a2', { note: 'y' }),
  { key: 'a3', value: '{' },
].map(({ key, value }, offset) => ({
  offset,
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: {},
  timestamp: offset * 10,
}))

function event(type: string, account: string, data: Readonly<Record<string, unknown>>) {
  const id = `${type}-${account}`
  const { value } = encodeStructured({
    specversion: '1.0',
    id,
    source: 'test',
    type,
    subject: account,
    time: '2026-01-01T00:00:00Z',
    data: { account, ...data },
  })
  return { key: account, value: value ?? '' }
}

const KEY = `key:${Buffer.from('a3').toString('base64')}`

/** What Cassandra holds when all is right; each test spoils a piece. */
function sound() {
  const chain = ['Noted-a1', 'Unnoted-a1', 'Credited-a1'].reduce(linked, '')
  const account: Folded<Account> = {
    value: { cents: 7n, balance: '0.07', latest: [7], events: 3, chain, seenAt: Date.UTC(2026, 0, 1), note: null },
    position: 2,
    source: SOURCE,
  }
  const shop: Folded<Shop> = { value: { cents: 7n, events: 1 }, position: 2, source: SOURCE }
  const letter = (scope: string, offset: number, code: string): StoredLetter => ({
    ...{ source: SOURCE, scope, offset, state: 'parked', code, timestamp: offset * 10 },
    content: contentOfRecord(records[offset]!),
  })
  const unread = letter(KEY, 5, 'EVENT_NOT_JSON')
  const cursed = letter('row:a2', 3, 'HANDLER_FAILED')
  const letters: Record<string, StoredLetter[]> = { 'accounts-w': [cursed, unread], 'shops-w': [unread] }
  return {
    committed: 6,
    accounts: new Map([['a1', account]]),
    shops: new Map([[`s1/3 ${SOURCE}`, shop]]),
    letters,
    waiting: new Map([
      [
        'accounts-w',
        new Map<string, number[]>([
          [`${SOURCE} row:a2`, [3, 4]],
          [`${SOURCE} ${KEY}`, [5]],
        ]),
      ],
      ['shops-w', new Map<string, number[]>([[`${SOURCE} ${KEY}`, [5]]])],
    ]),
  }
}
type Held = ReturnType<typeof sound>

function linked(chain: string, id: string): string {
  let state = 0x811c9dc5
  for (const letter of `${chain}${id}`) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193)
  return (state >>> 0).toString(16)
}

function judgeOf(held: Held): Judge {
  const log = {
    bounds: async () => new Map([[0, { start: 0, end: records.length }]]),
    async *read(_: unknown, from: number, to: number) {
      if (from < to) yield records.slice(from, to)
    },
    committed: async () => new Map([[0, held.committed]]),
  }
  const stored = {
    accounts: async () => held.accounts,
    shops: async () => held.shops,
    letters: async (projection: string) => held.letters[projection] ?? [],
    waiting: async () => held.waiting,
  }
  const published = { met: () => {}, differences: () => [] }
  return new Judge(log, stored, 'w', 't', published)
}

test('a view that is the fold of its log is without difference', async () => {
  const judge = judgeOf(sound())
  expect(await judge.commitsFollowWrites()).toEqual([])
  const { differences, rows, deadLetters, decidable, waiting } = await judge.judge(false)
  expect(differences).toEqual([])
  expect({ rows, deadLetters, decidable, waiting }).toEqual({ rows: 2, deadLetters: 3, decidable: 1, waiting: 1 })
})

describe('what is spoilt is seen:', () => {
  const a1 = (held: Held) => held.accounts.get('a1')!
  const spoilt: Readonly<Record<string, (held: Held) => void>> = {
    'an event that was lost': (held) => held.accounts.set('a1', { ...a1(held), position: 1 }),
    'a value': (held) => held.accounts.set('a1', { ...a1(held), value: { ...a1(held).value!, cents: 14n } }),
    'a column that should have been cleared': (held) =>
      held.accounts.set('a1', { ...a1(held), value: { ...a1(held).value!, note: 'x' } }),
    'a row that should not be': (held) => held.accounts.set('a9', a1(held)),
    'a row that is missing': (held) => held.accounts.delete('a1'),
    'a row that is deleted': (held) => held.accounts.set('a1', { ...a1(held), value: null }),
    'a row of another source': (held) => held.accounts.set('a1', { ...a1(held), source: 't/1' }),
    'a part of a merged row': (held) => held.shops.clear(),
    'a dead letter that is missing': (held) => held.letters['accounts-w']!.shift(),
    'a dead letter that is there twice': (held) => held.letters['accounts-w']!.push(held.letters['accounts-w']![0]!),
    'a dead letter of a sound event': (held) =>
      held.letters['accounts-w']!.push({
        ...held.letters['accounts-w']![0]!,
        scope: 'row:a1',
        offset: 1,
        state: 'skipped',
      }),
    'a dead letter of the other view': (held) => held.letters['shops-w']!.shift(),
    'a decision that was not carried out': (held) => {
      held.letters['accounts-w']![0] = { ...held.letters['accounts-w']![0]!, state: 'skipped' }
    },
    'a dead letter under another code': (held) => {
      held.letters['accounts-w']![0] = { ...held.letters['accounts-w']![0]!, code: 'ROW_INVALID' }
    },
    'a dead letter of another record': (held) => {
      held.letters['accounts-w']![0] = { ...held.letters['accounts-w']![0]!, content: '' }
    },
    'a dead letter of another time': (held) => {
      held.letters['accounts-w']![0] = { ...held.letters['accounts-w']![0]!, timestamp: 0 }
    },
    'an event that does not wait': (held) => held.waiting.get('accounts-w')!.set(`${SOURCE} row:a2`, [3]),
    'events that wait in another order': (held) => held.waiting.get('accounts-w')!.set(`${SOURCE} row:a2`, [4, 3]),
    'events that should not wait': (held) => held.waiting.get('accounts-w')!.set(`${SOURCE} row:a1`, [2]),
  }
  test.each(Object.entries(spoilt))('%s', async (_, spoil) => {
    const held = sound()
    spoil(held)
    expect((await judgeOf(held).judge(false)).differences).not.toEqual([])
  })
})

test('a commit ahead of the write is seen', async () => {
  const held = sound()
  held.accounts.set('a1', { ...held.accounts.get('a1')!, position: 1 })
  expect(await judgeOf(held).commitsFollowWrites()).toEqual([
    'accounts-w: t/0 is committed up to 6, but a1 stands at 1, before 2',
  ])
  held.committed = 2
  expect(await judgeOf(held).commitsFollowWrites()).toEqual([])
})

test('a commit ahead of the write of a part is seen', async () => {
  const held = sound()
  held.shops.clear()
  expect(await judgeOf(held).commitsFollowWrites()).toEqual([
    `shops-w: t/0 is committed up to 6, but s1/3 ${SOURCE} stands at -1, before 2`,
  ])
})

test('only what is parked may be behind a commit: what waited behind a decided letter is written', async () => {
  const held = sound()
  held.letters['accounts-w']![0] = { ...held.letters['accounts-w']![0]!, state: 'skipped' }
  expect(await judgeOf(held).commitsFollowWrites()).toEqual([
    'accounts-w: t/0 is committed up to 6, but a2 stands at -1, before 4',
  ])
})

test('an offset without a record is seen', async () => {
  const published = { met: () => {}, differences: () => [] }
  const log = {
    bounds: async () => new Map([[0, { start: 0, end: 3 }]]),
    async *read() {
      yield [records[0]!, records[2]!]
    },
    committed: async () => new Map<number, number>(),
  }
  const stored = {
    accounts: async () => new Map(),
    shops: async () => new Map(),
    letters: async () => [],
    waiting: async () => new Map(),
  }
  const { differences } = await new Judge(log, stored, 'w', 't', published).judge(false)
  expect(differences).toContain('t/0 has offset 1, and what is read goes on at 2')
})

test('a position that goes back is seen', async () => {
  const held = sound()
  const judge = judgeOf(held)
  held.committed = 0
  await judge.commitsFollowWrites()
  held.accounts.set('a1', { ...held.accounts.get('a1')!, position: 0 })
  expect(await judge.commitsFollowWrites()).toEqual(['accounts-w: a1 went back from 2 to 0'])
})
