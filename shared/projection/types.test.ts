import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyType, typeText } from './arbitrary.test-data.ts'
import { cqlType, parseType } from './types.ts'

test('a type comes back from its text, spaces or not', () => {
  fc.assert(
    fc.property(anyType, (type) => {
      expect(parseType(typeText(type))).toEqual(type)
      expect(parseType(typeText(type).replaceAll(',', ', '))).toEqual(type)
    }),
  )
})

test('in CQL collections are frozen at every level', () => {
  expect(cqlType(parseType('map<text,list<set<int>>>')!)).toBe('frozen<map<text, frozen<list<frozen<set<int>>>>>>')
  expect(cqlType(parseType('timestamp')!)).toBe('timestamp')
})

test.each([
  '',
  'string',
  'TEXT',
  'counter',
  'list',
  'list<>',
  'list<text',
  'list<text>>',
  'map<text>',
  'map<,text>',
  'map<text,>',
  'map<list<int>,text>',
  'set<text?>',
  'list<map<text>>',
  'tuple<int>',
  'toString',
  '__proto__',
])('%j is no type', (text) => {
  expect(parseType(text)).toBeUndefined()
})
