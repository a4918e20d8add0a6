import { type Course, highest } from './course.ts'

/** A line of a picture. */
export interface Line {
  readonly name: string
  readonly course: Course
  /** A CSS colour. */
  readonly colour: string
  /** Drawn as steps: the value holds until the next one. */
  readonly stepped?: boolean
}

/** A stretch of time with a name, drawn behind the lines. */
export interface Band {
  readonly name: string
  readonly from: number
  readonly to: number
}

const SIZE = { width: 960, height: 220 }
const PLOT = { left: 64, right: 12, top: 34, bottom: 24 }
/** A gap in a course that is longer than this, in seconds, is a gap in its line. */
const GAP_SECONDS = 20

/** A picture of lines over time as SVG, complete in itself. Escapes what it is given. */
export function picture(title: string, seconds: number, lines: readonly Line[], bands: readonly Band[]): string {
  const top = niceCeiling(Math.max(1, ...lines.map(({ course }) => highest(course))))
  const x = (when: number) => PLOT.left + (when / Math.max(1, seconds)) * (SIZE.width - PLOT.left - PLOT.right)
  const y = (value: number) => SIZE.height - PLOT.bottom - (value / top) * (SIZE.height - PLOT.top - PLOT.bottom)
  const place = (when: number, value: number) => `${x(when).toFixed(1)} ${y(value).toFixed(1)}`
  const texts = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const level = y(share * top).toFixed(1)
    return `<path class="grid" d="M${PLOT.left} ${level}H${SIZE.width - PLOT.right}"/><text class="tick" x="${PLOT.left - 8}" y="${level}" text-anchor="end" dominant-baseline="middle">${amount(share * top)}</text>`
  })
  const times = Array.from({ length: Math.floor(seconds / 60) + 1 }, (_, minute) => minute * 60).map(
    (when) =>
      `<text class="tick" x="${x(when).toFixed(1)}" y="${SIZE.height - 6}" text-anchor="middle">${when / 60} min</text>`,
  )
  const areas = bands.map(
    ({ name, from, to }) =>
      `<rect class="band" x="${x(from).toFixed(1)}" y="${PLOT.top}" width="${(x(to) - x(from)).toFixed(1)}" height="${SIZE.height - PLOT.top - PLOT.bottom}"><title>${escaped(name)}</title></rect>`,
  )
  const paths = lines.map(
    ({ course, colour, stepped }) =>
      `<path fill="none" stroke="${colour}" stroke-width="1.8" d="${stepped ? steps(course, seconds, place) : strokes(course, place)}"/>`,
  )
  let at = PLOT.left
  const names = lines.map(({ name, colour }) => {
    const left = at
    at += 28 + name.length * 7
    return `<rect x="${left}" y="19" width="10" height="3" fill="${colour}"/><text class="tick" x="${left + 14}" y="24">${escaped(name)}</text>`
  })
  return [
    `<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escaped(title)}">`,
    `<text class="title" x="${PLOT.left}" y="12">${escaped(title)}</text>`,
    ...names,
    ...areas,
    ...texts,
    ...times,
    ...paths,
    '</svg>',
  ].join('\n')
}

/** 1, 2 or 5 times a power of ten, at or above. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power
}

export function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (character) => names[character]!)
}

type Place = (when: number, value: number) => string

function strokes(course: Course, place: Place): string {
  return course
    .map(([when, value], index) => {
      const before = course[index - 1]
      return `${before && when - before[0] <= GAP_SECONDS ? 'L' : 'M'}${place(when, value)}`
    })
    .join('')
}

function steps(course: Course, end: number, place: Place): string {
  return course
    .map(([when, value], index) => {
      const next = course[index + 1]?.[0] ?? end
      return `${index === 0 ? 'M' : 'L'}${place(when, value)}L${place(next, value)}`
    })
    .join('')
}

function amount(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))} k`
  return String(Number(value.toPrecision(3)))
}
