import fc from 'fast-check'
import { expect, test } from 'vitest'
import { framed } from '../projection/values.ts'
import { scopeText } from './scope-text.ts'
import { KEYLESS, keyScope, rowScope } from './set-aside.ts'

test('a row is named by its key, with all its parts where there are several', () => {
  expect(scopeText(rowScope('c1'))).toBe('row "c1"')
  expect(scopeText(rowScope(framed(['carts', 'c1'])))).toBe('row ["carts","c1"]')
  expect(scopeText(rowScope('12:30'))).toBe('row "12:30"')
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 5 }), (parts) => {
      expect(scopeText(rowScope(framed(parts)))).toBe(`row ${JSON.stringify(parts)}`)
    }),
  )
})

test('a Kafka key is decoded, and what has none holds nothing up', () => {
  expect(scopeText(keyScope(Buffer.from('c1')))).toBe('key "c1"')
  expect(scopeText(KEYLESS)).toBe('nothing')
})
