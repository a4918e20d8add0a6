import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePosition, parseSource, positionText, sourceText } from './position.ts'

const sources = fc.record({
  topic: fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/),
  partition: fc.nat({ max: 999_999_999 }),
})

test('positions and sources come back from their text', () => {
  fc.assert(
    fc.property(sources, fc.nat({ max: 2 ** 48 }), (source, offset) => {
      expect(parseSource(sourceText(source))).toEqual(source)
      expect(parsePosition(positionText({ ...source, offset }))).toEqual({ ...source, offset })
    }),
  )
})

test('neither is taken for the other, nor anything else for them', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          '',
          'carts',
          '/1',
          'carts/-1',
          'carts/1.5',
          'carts/1/2/3',
          'a b/1',
          'carts/1\n',
          'carts/1e3/2',
          'carts/1/9999999999999999',
        ),
      ),
      (text) => {
        const [source, position] = [parseSource(text), parsePosition(text)]
        expect(source === undefined || position === undefined).toBe(true)
        if (source) expect(text).toMatch(/^[A-Za-z0-9._-]+\/\d+$/)
        if (position) expect(text).toMatch(/^[A-Za-z0-9._-]+\/\d+\/\d+$/)
      },
    ),
  )
  expect(parseSource('carts/1/2')).toBeUndefined()
  expect(parsePosition('carts/1')).toBeUndefined()
  expect(parseSource('carts/1\n')).toBeUndefined()
})
