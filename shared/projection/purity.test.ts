import nodeCrypto, { randomUUID } from 'node:crypto'
import process, { env } from 'node:process'
import { setTimeout as later } from 'node:timers'
import { describe, expect, test } from 'vitest'
import { z } from './index.ts'
import { counted, failure, type Note, notes, noting, said, says, started } from './notes.test-data.ts'
import { record } from './spec.ts'

const impure = (message: RegExp) =>
  expect.objectContaining({ code: 'HANDLER_IMPURE', message: expect.stringMatching(message) })

describe('a handler may not', () => {
  test.each<[string, RegExp, () => unknown]>([
    ['read Date.now', /read the clock \(Date.now\(\)\)/, () => Date.now()],
    ['make a new Date', /read the clock \(new Date\(\)\)/, () => new Date()],
    ['call Date', /read the clock \(Date\(\)\)/, () => Date()],
    ['read performance.now', /read the clock \(performance.now\(\)\)/, () => performance.now()],
    ['read process.hrtime', /read the clock \(process.hrtime.bigint\(\)\)/, () => process.hrtime.bigint()],
    ['read the local hour', /used the machine's time zone or language \(Date getHours/, () => new Date(0).getHours()],
    ['write a date in local time', /used the machine's time zone or language \(Date toString/, () => `${new Date(0)}`],
    [
      'make a date in local time',
      /used the machine's time zone \(new Date\(year, month, …\)/,
      () => new Date(2026, 0, 1),
    ],
    ['use Math.random', /drew lots \(Math.random\(\)\)/, () => Math.random()],
    ['use crypto.randomUUID', /drew lots \(crypto.randomUUID\(\)\)/, () => crypto.randomUUID()],
    [
      'use crypto.getRandomValues',
      /drew lots \(crypto.getRandomValues\(\)\)/,
      () => crypto.getRandomValues(new Uint8Array(1)),
    ],
    ['use node:crypto by name', /drew lots \(crypto.randomUUID\(\)\)/, () => randomUUID()],
    ['use node:crypto', /drew lots \(crypto.randomBytes\(\)\)/, () => nodeCrypto.randomBytes(1)],
    ['read process.env', /read the environment \(process.env.HOME\)/, () => process.env.HOME],
    ['read env by name', /read the environment \(process.env.HOME\)/, () => env.HOME],
    ['list process.env', /read the environment/, () => Object.keys(process.env)],
    [
      'change process.env',
      /changed the environment/,
      () => {
        process.env.NOTE = '1'
      },
    ],
    ['set a timer', /left work for later \(setTimeout\(\)\)/, () => setTimeout(() => {}, 0)],
    ['set a timer by name', /left work for later \(setTimeout\(\)\)/, () => later(() => {}, 0)],
    ['queue a microtask', /left work for later \(queueMicrotask\(\)\)/, () => queueMicrotask(() => {})],
    ['fetch', /used the network \(fetch\(\)\)/, () => fetch('http://127.0.0.1:1')],
  ])('%s', (_, deed, run) => {
    const handler = says((note) => {
      run()
      return counted(note)
    })
    expect(failure(handler, said())).toEqual(impure(new RegExp(`^on.Said of projection note ${deed.source}`)))
  })

  test('hide it by swallowing the error', () => {
    const handler = says((note) => {
      try {
        Date.now()
      } catch {}
      return counted(note)
    })
    expect(failure(handler, said())).toEqual(impure(/Date.now/))
  })

  test.each<[string, RegExp, Parameters<typeof says>[0]]>([
    [
      'a column',
      /changed its row.n: 0 became 1/,
      (note) => {
        note.n++
        return note
      },
    ],
    [
      'a list in its row',
      /changed its row.words/,
      (note) => {
        note.words.push('x')
        return { ...note }
      },
    ],
    [
      'a set in its row',
      /changed its row.seen/,
      (note) => {
        note.seen.add('x')
        return { ...note }
      },
    ],
    [
      'a map in its row',
      /changed its row.tags/,
      (note) => {
        note.tags.set('x', 1)
        return { ...note }
      },
    ],
    [
      'a date in its row',
      /changed its row.at/,
      (note) => {
        note.at.setTime(1)
        return { ...note }
      },
    ],
    [
      'bytes in its row',
      /changed its row.raw/,
      (note) => {
        note.raw[0] = 1
        return { ...note }
      },
    ],
    [
      'a row it deletes',
      /changed its row.n/,
      (note) => {
        note.n = 7
        return null
      },
    ],
    [
      'its event’s data',
      /changed its event.data.words.0: 'b' became 'a'/,
      (note, { data }) => ({ ...note, words: data.words.sort() }),
    ],
    [
      'its event’s time',
      /changed its event.time/,
      (note, { time }) => {
        time.setUTCHours(1)
        return note
      },
    ],
  ])('change %s', (_, deed, handler) => {
    expect(failure(says(handler), said('a', ['b', 'a']))).toEqual(
      impure(new RegExp(`^on.Said of projection note ${deed.source}`)),
    )
  })

  test('keep a count outside its row', () => {
    let n = 0
    expect(
      failure(
        says((note) => ({ ...note, n: ++n })),
        said(),
      ),
    ).toEqual(
      impure(
        /on.Said of projection note gave two answers to one question: n: 1 became 2. It keeps something outside its row/,
      ),
    )
  })

  test('remember which events it has seen', () => {
    const seen = new Set<string>()
    const handler = says((note, { id }) => {
      if (seen.has(id)) return note
      seen.add(id)
      return counted(note)
    })
    expect(failure(handler, said())).toEqual(impure(/on.Said .* two answers/))
  })

  test('hand out one growing list', () => {
    const words: string[] = []
    expect(
      failure(
        says((note) => {
          words.push('x')
          return { ...note, words }
        }),
        said(),
      ),
    ).toEqual(impure(/on.Said .* two answers/))
  })

  test('tell by objects which event came before', () => {
    let previous: string[] | undefined
    const handler = says((note) => {
      const same = previous === note.words
      previous = note.words
      return { ...note, n: note.n + (same ? 0 : 1), words: note.words }
    })
    expect(failure(handler, said(), said())).toBeUndefined()
  })

  test('depend on how often it was asked, not even where each answer repeats', () => {
    let asked = 0
    const handler = says((note) => ({ ...note, n: Math.floor(asked++ / 2) }))
    expect(failure(handler, said('a'), said('a'))).toEqual(
      impure(
        /the same events delivered all at once and one by one make different rows: row { id: 'a' }: n is 3, expected 1/,
      ),
    )
  })
})

describe('nor may any other function of an author', () => {
  test.each<[string, object, RegExp]>([
    ['key', { key: () => ({ id: crypto.randomUUID() }) }, /^key of projection note drew lots/],
    [
      'key, changing the event',
      { key: (event: { subject: string }) => ({ id: Object.assign(event, { subject: `${event.subject}!` }).subject }) },
      /^key of projection note changed its event.subject: 'a' became 'a!'/,
    ],
    [
      'initial',
      { initial: ({ id }: { id: string }) => ({ ...started, id, at: new Date() }) },
      /^initial of projection note read the clock/,
    ],
    [
      'merge',
      { merge: (a: Note, b: Note) => ({ ...a, n: a.n + b.n + Math.random() }) },
      /^merge of projection note drew lots/,
    ],
    [
      'a schema',
      { topic: { ...notes, events: { Said: z.object({ words: z.unknown().transform(() => Date.now()) }) } } },
      /^the schema of Said of topic notes read the clock/,
    ],
    [
      'an upcaster',
      {
        topic: {
          ...notes,
          upcast: {
            Said: ({ data }: { data: { words: string[] } }) => {
              data.words.push('x')
              return { type: 'Said', data }
            },
          },
        },
      },
      /^upcast.Said of topic notes changed its event.data.words/,
    ],
    [
      'decode',
      { topic: { ...notes, decode: () => ({ type: 'Said', data: {}, id: crypto.randomUUID() }) } },
      /^decode of topic notes drew lots/,
    ],
    [
      'decode, changing the record',
      {
        topic: {
          ...notes,
          decode: ({ value }: { value: Buffer }) => ({ type: 'Said', data: {}, id: String(value.fill(0)) }),
        },
      },
      /^decode of topic notes changed its record.value/,
    ],
  ])('%s', (_, changes, message) => {
    const events = ['a', 'b', 'c', 'd', 'e'].map((id) =>
      record(
        notes,
        id,
        JSON.stringify({
          specversion: '1.0',
          id,
          source: 's',
          type: 'Said',
          subject: 'merge' in changes ? 'one' : id,
          data: { words: ['x'] },
        }),
      ),
    )
    expect(failure(noting(changes), ...events)).toEqual(impure(message))
  })
})
