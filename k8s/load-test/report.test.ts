import { expect, test } from 'vitest'
import { escaped, niceCeiling, picture } from './chart.ts'
import { reportPage } from './report.ts'

test('an axis ends at 1, 2 or 5 times a power of ten', () => {
  expect([0.3, 1, 3, 7, 1_200, 54_041].map(niceCeiling)).toEqual([0.5, 1, 5, 10, 2_000, 100_000])
})

test('what is not known leaves a gap in its line, and a number of workers holds until the next', () => {
  const course = [
    [0, 1],
    [5, 2],
    [60, 1],
  ] as const
  const drawn = picture('', 100, [{ name: 'a', course, colour: 'red' }], [])
  const stepped = picture('', 100, [{ name: 'a', course, colour: 'red', stepped: true }], [])
  const path = (text: string) => /stroke="red"[^>]* d="([^"]*)"/.exec(text)?.[1]?.replaceAll(/[\d. ]+/g, '')
  expect(path(drawn)).toBe('MLM')
  expect(path(stepped)).toBe('MLLLLL')
})

test('the page stands alone, shows every picture, and names what was broken', () => {
  const empty = {
    arriving: [],
    applied: [],
    lag: [],
    age: [],
    capacity: [],
    wanted: [],
    need: [],
    asked: [],
    ready: [],
  }
  const page = reportPage({
    scenario: {
      title: 'Up & down',
      projection: 'p',
      version: 1,
      topics: ['t'],
      partitions: 12,
      catchUpSeconds: 60,
      worker: { cpu: '1', memory: '1Gi', assumedCapacity: 1 },
      workers: { minimum: 0, maximum: 6, calmSeconds: 30 },
      steps: [],
    },
    steps: [{ rate: 10, from: 1, to: 20 }],
    courses: { ...empty, lag: [[1, 54_041]], asked: [[0, 0]] },
    verdicts: [{ promise: 'gone in < 72 s', seen: 'it was never gone', kept: false }],
    seconds: 30,
    began: new Date(0),
  })
  expect(page.match(/<svg/g)?.length).toBe(4)
  expect(page).toContain('<td class="broken">broken</td><td>gone in &lt; 72 s</td>')
  expect(page).toContain('Up &amp; down')
  expect(page).not.toMatch(/NaN|undefined|https?:|src=/)
})

test('text is never markup', () => {
  expect(escaped('<b a="1">&')).toBe('&lt;b a=&quot;1&quot;&gt;&amp;')
})
