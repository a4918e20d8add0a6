import { type Band, escaped, picture } from './chart.ts'
import type { Courses } from './course.ts'
import type { Happened, Verdict } from './judge.ts'
import type { Scenario } from './scenario.ts'

export interface LoadReport {
  readonly scenario: Scenario
  readonly steps: readonly Happened[]
  readonly courses: Courses
  readonly verdicts: readonly Verdict[]
  /** Seconds from the first to the last moment. */
  readonly seconds: number
  readonly began: Date
}

const BLUE = '#2f6fde'
const ORANGE = '#d9730d'
const GREEN = '#2b8a3e'
const GREY = '#868e96'

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem }
td, th { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top }
svg { width: 100%; margin: .4rem 0 1rem; font: 11px system-ui, sans-serif; fill: currentColor }
.title { font-weight: 600; font-size: 13px } .tick { opacity: .75 } .grid { stroke: currentColor; opacity: .15 }
.band { fill: ${GREY}; opacity: .13 } .broken { color: #e03131; font-weight: 600 }
`

/** The report as one page of HTML that needs nothing else. */
export function reportPage({ scenario, steps, courses, verdicts, seconds, began }: LoadReport): string {
  const bands = steps
    .filter(({ rate }) => rate > 0)
    .map(({ rate, from, to }): Band => ({ name: `${rate} events/s`, from, to }))
  const draw = (title: string, lines: Parameters<typeof picture>[2]) => picture(title, seconds, lines, bands)
  const rows = verdicts.map(
    ({ promise, seen, kept }) =>
      `<tr><td class="${kept ? '' : 'broken'}">${kept ? 'kept' : 'broken'}</td><td>${escaped(promise)}</td><td>${escaped(seen)}</td></tr>`,
  )
  const { projection, version, partitions, catchUpSeconds, worker, workers } = scenario
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Load test: ${escaped(scenario.title)}</title><style>${STYLE}</style>`,
    `<h1>${escaped(scenario.title)}</h1>`,
    `<p>${escaped(projection)} v${version}, ${partitions} partitions, ${workers.minimum} to ${workers.maximum} workers of ${escaped(worker.cpu)} CPU, catch-up target ${catchUpSeconds} s. ${began.toISOString()}. Grey: load.</p>`,
    `<table><tr><th></th><th>promise</th><th>seen</th></tr>${rows.join('')}</table>`,
    draw('Throughput, events/s', [
      { name: 'arriving', course: courses.arriving, colour: ORANGE },
      { name: 'applied', course: courses.applied, colour: BLUE },
      { name: 'capacity of one worker', course: courses.capacity, colour: GREY },
    ]),
    draw('Workers', [
      { name: 'needed by the load', course: courses.need, colour: BLUE },
      { name: 'wanted by the rule', course: courses.wanted, colour: GREY },
      { name: 'asked for', course: courses.asked, colour: ORANGE, stepped: true },
      { name: 'ready', course: courses.ready, colour: GREEN, stepped: true },
    ]),
    draw('Lag, events', [{ name: 'lag', course: courses.lag, colour: BLUE }]),
    draw('Age of the oldest event not yet readable, s', [{ name: 'age', course: courses.age, colour: BLUE }]),
    '</html>',
    '',
  ].join('\n')
}
