import fc from 'fast-check'
import { expect, test } from 'vitest'
import { carts, inventory } from '../../shared/events/index.ts'
import { anyJson, anyText, fuzz, nearly } from '../../shared/testing/fuzz.ts'
import { lineCheck } from './publish-check.ts'
import { lines } from './publish-lines.ts'

const event = JSON.stringify({
  specversion: '1.0',
  id: '1',
  source: '/f',
  type: 'PriceChanged',
  subject: 'p',
  time: '2026-01-31T12:00:00Z',
  data: { productId: 'p', unitPriceCents: 1 },
})
const line = fc.oneof(
  nearly(Buffer.from(event)),
  anyJson.map((json) => Buffer.from(json)),
  anyText.map((text) => Buffer.from(text)),
  fc.uint8Array().map((array) => Buffer.from(array)),
  fc
    .tuple(anyText, anyText, anyText)
    .map(([id, subject, time]) => Buffer.from(JSON.stringify({ ...JSON.parse(event), id, subject, time }))),
)

test('any line is published or refused with its number and a reason', () => {
  fc.assert(
    fc.property(
      line,
      fc.constantFrom('structured' as const, 'binary' as const),
      fc.constantFrom(undefined, 'any'),
      (line, mode, topic) => {
        const decision = lineCheck([carts, inventory], { topic, mode })(line, 7)
        if ('record' in decision) {
          expect(decision.record.key).not.toBe('')
          // What Kafka gets is what was meant: encoding to UTF-8 and back changes no letter.
          expect(Buffer.from(decision.record.key).toString()).toBe(decision.record.key)
        } else {
          expect(decision.line).toBe(7)
          expect(decision.reason).not.toBe('')
        }
      },
    ),
    fuzz,
  )
}, 900_000)

test('however the bytes come, the lines are the same', async () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom('\n', '\r\n', '\r', '\ufeff', ''), anyText), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.array(fc.nat(20)), async (texts, cuts) => {
      const bytes = Buffer.from(texts.join(''))
      const whole = await linesOf([bytes])
      const cut: Buffer[] = []
      let at = 0
      for (const size of cuts) {
        cut.push(bytes.subarray(at, at + size))
        at += size
      }
      expect(await linesOf([...cut, bytes.subarray(at)])).toEqual(whole)
    }),
    fuzz,
  )
}, 900_000)

async function linesOf(chunks: readonly Buffer[]): Promise<readonly string[]> {
  async function* stream() {
    yield* chunks
  }
  const found: string[] = []
  for await (const piece of lines(stream(), 1_000)) found.push(...piece.map((line) => line.toString('hex')))
  return found
}
