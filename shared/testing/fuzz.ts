import fc from 'fast-check'

/** How often a property is tried: few times in every run of the tests, `FUZZ_RUNS=100000` to look for faults. */
export const fuzz = { numRuns: Number(process.env.FUZZ_RUNS ?? 100), interruptAfterTimeLimit: 600_000 }

/** Names that every object has, or seems to have. */
export const prototypeName = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
)

/** Text of every kind: lone surrogates, control characters, names of prototypes, what looks like numbers. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
  prototypeName,
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    '\udfff\ud800',
    'NaN',
    '-0',
    '1e400',
    '9'.repeat(400),
    '../..',
    '%',
    '%00',
    '[]',
  ),
)

/** JSON, the deep and the strange included, as text. */
export const anyJson = fc.oneof(
  fc.json({ maxDepth: 5 }),
  anyText.map((text) => JSON.stringify(text)),
  fc.integer({ min: 1, max: 1_500 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 1_000 }).map((depth) => `${'{"a":'.repeat(depth)}1e999${'}'.repeat(depth)}`),
  fc.constantFrom('{"__proto__":{"type":"x"}}', '{"a":1,"a":2}', '-0', '1E400', '\ufeff{}', 'null', '"\\ud800"'),
)

/** Bytes that are nearly those given: some are changed, left out or doubled. */
export function nearly(bytes: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.nat(Math.max(0, bytes.length - 1)),
    how: fc.constantFrom('set', 'cut', 'double'),
    byte: fc.nat(255),
  })
  return fc.array(change, { maxLength: 4 }).map((changes) => {
    let changed = Buffer.from(bytes)
    for (const { at, how, byte } of changes) {
      if (how === 'set' && at < changed.length) changed[at] = byte
      else if (how === 'cut') changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1)])
      else if (how === 'double')
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(Math.max(0, at - 9))])
    }
    return changed
  })
}
