import { expect, test } from 'vitest'
import { parseType } from '../projection/types.ts'
import { decoder, encoder, encodeWhole } from './cells.ts'

function bytes(type: string, value: unknown): string {
  const parsed = parseType(type)
  if (!parsed) throw new Error(`${type} is no type`)
  return encoder(parsed)(value).toString('hex')
}

// That Cassandra reads them as they were meant is shown by the contract suite on the real one.
test.each([
  ['decimal', '0', '0000000000'],
  ['decimal', '127', '000000007f'],
  ['decimal', '128', '000000000080'],
  ['decimal', '-128', '0000000080'],
  ['decimal', '-1.29', '00000002ff7f'],
  ['date', '1970-01-01', '80000000'],
  ['date', '0001-01-01', '7ff506c6'],
  ['date', '1969-12-31', '7fffffff'],
  ['timestamp', new Date(-1), 'ffffffffffffffff'],
  ['list<text>', [], '00000000'],
  ['set<int>', new Set([1]), '000000010000000400000001'],
  ['map<text,list<int>>', new Map([['a', []]]), '0000000100000001610000000400000000'],
  ['blob', new Uint8Array([1, 2, 3]).subarray(1), '0203'],
])('%s %s', (type, value, hex) => expect(bytes(type, value)).toBe(hex))

test.each([
  0,
  1,
  -1,
  2 ** 32 - 1,
  2 ** 32,
  -(2 ** 32),
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  1_700_000_000_000_002,
])('%d as a bigint', (value) => {
  expect(encodeWhole(value).readBigInt64BE()).toBe(BigInt(value))
})

test.each<[string, unknown, (value: never) => unknown]>([
  ['timestamp', new Date(1), (date: Date) => date.setTime(2)],
  ['list<int>', [1], (list: number[]) => list.push(2)],
  ['set<int>', new Set([1]), (set: Set<number>) => set.add(2)],
  ['map<text,timestamp>', new Map([['a', new Date(1)]]), (map: Map<string, Date>) => map.get('a')?.setTime(2)],
])('what is read as %s can not be changed', (text, value, change) => {
  const type = parseType(text)
  if (!type) throw new Error(`${text} is no type`)
  const read = decoder(type)(value)
  expect(read).toStrictEqual(value)
  expect(() => change(read as never)).toThrow(TypeError)
})
