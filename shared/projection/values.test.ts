import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyType, typed } from './arbitrary.test-data.ts'
import { copy, difference } from './likeness.ts'
import { type ColumnType, parseType } from './types.ts'
import { canonical, compare, framed, shown, valueBytes, valueText } from './values.ts'

const of = (text: string) => parseType(text)!
/** The canonical form, or undefined where a set or map has an element twice. */
function settled(type: ColumnType, value: unknown): unknown {
  try {
    return canonical(type, value)
  } catch (error) {
    expect(error).toMatchObject({ message: 'has the same element twice' })
    return undefined
  }
}

describe('the canonical form', () => {
  test('is a value’s only one: canonical again, or after a copy through bytes of another class, it is the same', () => {
    fc.assert(
      fc.property(typed(1), ({ type, values: [value] }) => {
        const once = settled(type, value)
        if (once === undefined) return
        const again = canonical(type, asDriversReturnIt(once))
        expect(difference(once, again)).toBeUndefined()
        expect(valueText(type, again)).toBe(valueText(type, once))
      }),
      { numRuns: 500 },
    )
  })

  test('does not depend on the order in which a set or map was built', () => {
    const map = new Map([
      ['b', new Set([3, 1, 2])],
      ['a', new Set([9])],
    ])
    expect([...(canonical(of('map<text,set<int>>'), map) as typeof map)]).toEqual([
      ['a', new Set([9])],
      ['b', new Set([1, 2, 3])],
    ])
    expect([...(canonical(of('set<int>'), new Set([10, 9, -1])) as Set<number>)]).toEqual([-1, 9, 10])
  })

  test('shares no array, set or map with what the author wrote', () => {
    fc.assert(
      fc.property(typed(1), ({ type, values: [value] }) => {
        if (type.kind !== 'scalar') expect(settled(type, value)).not.toBe(value)
      }),
    )
  })

  test.each<[string, unknown, unknown]>([
    ['int', -0, 0],
    ['decimal', '-0.00', '0.00'],
    ['uuid', 'ABCDEF00-0000-4000-8000-000000000000', 'abcdef00-0000-4000-8000-000000000000'],
    ['double', Number.NaN, Number.NaN],
    ['double', -0, -0],
  ])('of %s %j is %j', (type, value, expected) => {
    expect(canonical(of(type), value)).toBe(expected)
  })

  test('of bytes is a plain array that keeps no larger buffer alive', () => {
    const part = canonical(of('blob'), Buffer.from('a long text').subarray(2, 6)) as Uint8Array
    expect(Object.getPrototypeOf(part)).toBe(Uint8Array.prototype)
    expect(part.buffer.byteLength).toBe(4)
  })
})

describe('what is not a value of the type is refused in words', () => {
  test.each<[string, unknown, RegExp]>([
    ['text', 1, /must be a string, not 1/],
    ['text', '\ud800', /half a surrogate pair/],
    ['int', 1.5, /32 bits, not 1.5/],
    ['int', 2 ** 31, /32 bits/],
    ['int', '1', /not '1'/],
    ['bigint', 1, /must be a bigint/],
    ['bigint', 1n << 63n, /64 bits, not 9223372036854775808n/],
    ['double', 1n, /must be a number, not 1n/],
    ['decimal', 1.5, /must be a decimal/],
    ['decimal', '1.', /must be a decimal/],
    ['decimal', '01', /must be a decimal/],
    ['decimal', '1e3', /must be a decimal/],
    ['boolean', 0, /must be a boolean/],
    ['uuid', 'x', /must be a UUID/],
    ['timestamp', '2026-01-01', /must be a valid Date/],
    ['timestamp', new Date(Number.NaN), /not Invalid Date/],
    ['date', '2026-02-30', /must be a day/],
    ['date', new Date(0), /must be a day as a string.* not 1970/],
    ['blob', 'x', /must be a Uint8Array/],
    ['list<int>', new Set([1]), /must be an array, not Set/],
    ['list<int>', new Array(2), /not undefined/],
    ['list<int>', [null], /not null/],
    ['set<int>', [1], /must be a Set/],
    ['map<text,int>', { a: 1 }, /must be a Map, not { a: 1 }/],
    ['set<timestamp>', new Set([new Date(0), new Date(0)]), /same element twice/],
    ['set<decimal>', new Set(['1.5', '1.50']), /same element twice/],
    ['text', Promise.resolve(''), /a Promise \(handlers must be synchronous\)/],
  ])('%s: %s', (type, value, message) => {
    expect(() => canonical(of(type), value)).toThrow(message)
  })

  test('whatever it is', () => {
    const circular: unknown[] = []
    circular.push(circular)
    const hostile = fc.oneof(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
        withSparseArray: true,
      }),
      fc.constantFrom(circular, Symbol('s'), {
        toJSON: () => {
          throw null
        },
      }),
    )
    fc.assert(
      fc.property(anyType, hostile, (type, value) => {
        try {
          canonical(type, value)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('and briefly', () => {
    expect(shown('x'.repeat(10_000)).length).toBeLessThan(130)
    expect(shown(new Map([['a', 1n]]))).toBe("Map(1) { 'a' => 1n }")
  })
})

describe('the order of values', () => {
  test('is an order: antisymmetric, transitive, and equal only for the same text (decimals by number)', () => {
    fc.assert(
      fc.property(typed(3), ({ type, values }) => {
        const [a, b, c] = values.map((value) => settled(type, value))
        if (a === undefined || b === undefined || c === undefined) return
        expect(Math.sign(compare(type, a, b))).toBe(-Math.sign(compare(type, b, a)) + 0)
        expect(compare(type, a, copy(a))).toBe(0)
        if (compare(type, a, b) <= 0 && compare(type, b, c) <= 0) expect(compare(type, a, c)).toBeLessThanOrEqual(0)
        if (valueText(type, a) === valueText(type, b)) expect(compare(type, a, b)).toBe(0)
        else if (!JSON.stringify(type).includes('decimal')) expect(compare(type, a, b)).not.toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test.each<[string, unknown[]]>([
    ['text', ['', 'A', 'a', 'aa', 'ä', '\uffff', '\u{1f600}']],
    ['double', [Number.NEGATIVE_INFINITY, -1, -0, 0, 1, Number.POSITIVE_INFINITY, Number.NaN]],
    ['decimal', ['-10.5', '-9', '0', '0.5', '9', '10.25']],
    [
      'uuid',
      [
        'ffffffff-0000-1000-8000-000000000000',
        '00000000-0001-1000-8000-000000000000',
        '00000000-0000-1001-8000-000000000000',
        '00000000-0000-4000-8000-000000000000',
      ],
    ],
    ['boolean', [false, true]],
    ['list<int>', [[], [1], [1, 0], [2]]],
  ])('is Cassandra’s for %s', (type, ascending) => {
    const order = (a: unknown, b: unknown) => compare(of(type), a, b)
    expect(ascending.toReversed().sort(order)).toEqual(ascending)
  })
})

describe('the text of values', () => {
  test('is the same only for the same value', () => {
    fc.assert(
      fc.property(typed(2), ({ type, values }) => {
        const [a, b] = values.map((value) => settled(type, value))
        if (a !== undefined && b !== undefined)
          expect(valueText(type, a) === valueText(type, b)).toBe(difference(a, b) === undefined)
      }),
      { numRuns: 500 },
    )
  })

  test('framed, no two lists of texts look the same', () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom('1', ':', '2', 'a') }), { maxLength: 4 })
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(framed(a) === framed(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
      { numRuns: 1_000 },
    )
  })
})

test('bytes are never counted below what goes over the wire', () => {
  expect(valueBytes(of('text'), '€€')).toBe(6)
  expect(valueBytes(of('uuid'), '00000000-0000-4000-8000-000000000000')).toBe(16)
  expect(valueBytes(of('list<text>'), ['ab', 'c'])).toBe(4 + 6 + 5)
  expect(valueBytes(of('map<text,int>'), new Map([['a', 1]]))).toBeGreaterThanOrEqual(4 + 5 + 8)
})

function asDriversReturnIt(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value) : copy(value)
}
