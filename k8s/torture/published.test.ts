import { expect, test } from 'vitest'
import { contentOf } from './content.ts'
import { Published } from './published.ts'

const record = { key: 'a', value: '{"é":1}', headers: { ce_id: 'e1', 'content-type': 'application/json' } }
const at = (offset: number) => ({ topic: 't', partition: 0, offset })
/** As a consumer has it: bytes. */
const read = contentOf(Buffer.from(record.key), Buffer.from(record.value), {
  'content-type': Buffer.from('application/json'),
  ce_id: Buffer.from('e1'),
})

test.each(['read before it is acknowledged', 'acknowledged before it is read'])('a record %s is fine', (when) => {
  const published = new Published()
  if (when.startsWith('read')) published.met('t/0/0', read)
  published.acknowledged([at(0)], [record])
  if (!when.startsWith('read')) published.met('t/0/0', read)
  expect(published.differences()).toEqual([])
})

test('what is read without an answer to its publisher is fine, however often', () => {
  const published = new Published()
  published.unclear([record])
  published.met('t/0/0', read)
  published.met('t/0/1', read)
  expect(published.differences()).toEqual([])
})

test.each<[string, (published: Published) => void]>([
  ['dropped', (published) => published.acknowledged([at(0)], [record])],
  ['from nobody', (published) => published.met('t/0/0', read)],
  [
    'garbled',
    (published) => {
      published.met('t/0/0', read)
      published.acknowledged([at(0)], [{ ...record, headers: {} }])
    },
  ],
  [
    'garbled, without an answer',
    (published) => {
      published.unclear([{ ...record, key: 'b' }])
      published.met('t/0/0', read)
    },
  ],
])('a record %s is seen, once', (_, happen) => {
  const published = new Published()
  happen(published)
  expect(published.differences()).toHaveLength(1)
  expect(published.differences()).toEqual([])
})
