import { expect, test } from 'vitest'
import { progressBar } from './progress-bar.ts'
import { duration, type Output, paintFor, tableLines, wrapped } from './terminal.ts'

function screen(isTTY: boolean): Output & { readonly printed: string[] } {
  const printed: string[] = []
  return { isTTY, columns: 80, printed, write: (text) => printed.push(text) }
}

test('colours need a terminal that shows them and a person who wants them', () => {
  expect(paintFor(screen(true), {})('red', 'x')).toBe('\u001b[31mx\u001b[0m')
  expect(paintFor(screen(false), {})('red', 'x')).toBe('x')
  expect(paintFor(screen(true), { NO_COLOR: '1' })('red', 'x')).toBe('x')
})

test('durations are told as people tell them', () => {
  expect([0.25, 3, 90, 150, 3_600 * 3 + 1_200, 86_400 * 3].map(duration)).toEqual([
    '0.3 s',
    '3 s',
    '90 s',
    '3 min',
    '3 h 20 min',
    '3 d 0 h',
  ])
})

test('the last column of a table goes on in further lines', () => {
  const lines = tableLines(
    ['name', 'count>', 'why'],
    [[{ text: 'one' }, { text: '7' }, { text: 'because of this and that and more' }]],
    36,
    (_, text) => text,
  )
  expect(lines).toEqual(['name  count  why', 'one       7  because of this and', '             that and more'])
  expect(wrapped('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
})

test('a progress bar redraws itself on a terminal and is gone in the end', () => {
  let time = 0
  const output = screen(true)
  const bar = progressBar(output, () => time)
  bar.update('folding', 50, 100)
  bar.update('folding', 51, 100)
  time = 200
  bar.update('folding', 100, 100)
  bar.end()
  expect(output.printed).toHaveLength(3)
  expect(output.printed[0]?.startsWith('\r\u001b[Kfolding █')).toBe(true)
  expect(output.printed[0]).toMatch(/░+ {2}50 % {2}50 of 100$/)
  expect(output.printed.at(-1)).toBe('\r\u001b[K')
})

test('elsewhere progress is a line now and then', () => {
  let time = 0
  const output = screen(false)
  const bar = progressBar(output, () => time)
  for (; time < 25_000; time += 1_000) bar.update('folding', time, 25_000)
  bar.end()
  expect(output.printed).toEqual(['folding 40 %  10,000 of 25,000\n', 'folding 80 %  20,000 of 25,000\n'])
})
