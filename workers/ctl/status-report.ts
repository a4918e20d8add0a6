import type { State, VersionStatus } from './status.ts'
import { BOUNDS } from './status-scaling.ts'
import {
  type Cell,
  type Colour,
  count,
  duration,
  type Output,
  paintFor,
  tableLines,
  widthOf,
  wrapped,
} from './terminal.ts'

const COLOURS: Readonly<Record<State, Colour | undefined>> = {
  'never-started': 'dim',
  refused: 'red',
  stopped: 'red',
  rebalancing: 'yellow',
  stalled: 'red',
  running: 'yellow',
  'caught-up': 'green',
  unknown: 'yellow',
}

const HEADINGS = ['projection', 'served', 'state', 'lag>', 'age>', 'rate/s>', 'drain>', 'members>', 'dead>']

const SCALING = ['scaling', 'in/s>', 'each/s>', 'lag>', 'want>', 'have>', 'parts>', 'why']
const SCALING_NOTE = `each/s: what one worker does while all are behind, at least. want: by the chart's defaults, ${BOUNDS.minimum} to as many as partitions, backlog gone in ${BOUNDS.catchUpSeconds} s.`

function known(number: number | null, text: (number: number) => string): string {
  return number === null ? '?' : text(number)
}

/** The table that `tidemark status` prints; what a person should know about a version follows below it. */
export function statusLines(statuses: readonly VersionStatus[], output: Output): readonly string[] {
  const paint = paintFor(output)
  const width = widthOf(output)
  if (statuses.length === 0) return ['There are no projections.']
  const rows = statuses.map((status): Cell[] => {
    const { state, served, lag, ageSeconds, timeToDrainSeconds: drain, members, deadLetters } = status
    const colour = COLOURS[state]
    return [
      { text: `${status.projection} v${status.version}` },
      { text: served === null ? '?' : served ? 'yes' : '-' },
      { text: state, ...(colour && { colour }) },
      { text: known(lag, count) },
      { text: lag === 0 ? '-' : known(ageSeconds, (age) => duration(Math.round(age))) },
      { text: known(status.ratePerSecond, (rate) => count(Math.round(rate))) },
      { text: lag === 0 ? '-' : lag === null ? '?' : drain === null ? 'never' : duration(drain) },
      { text: known(members, String) },
      {
        text: known(deadLetters, String).padStart(4),
        ...(deadLetters !== null && deadLetters > 0 && { colour: 'yellow' as const }),
      },
    ]
  })
  const notes = statuses.flatMap(({ projection, version, why }) =>
    why.map((reason) => [{ text: `${projection} v${version}` }, { text: reason }]),
  )
  const scalings = statuses.flatMap(({ projection, version, scaling }) =>
    scaling
      ? [
          [
            `${projection} v${version}`,
            count(Math.round(scaling.arrivalPerSecond)),
            known(scaling.capacityPerWorker, (capacity) => count(Math.round(capacity))),
            count(scaling.lag),
            known(scaling.wanted, String),
            String(scaling.members),
            String(scaling.partitions),
            scaling.why,
          ].map((text) => ({ text })),
        ]
      : [],
  )
  return [
    ...tableLines(HEADINGS, rows, width, paint),
    ...(scalings.length > 0 ? ['', ...tableLines(SCALING, scalings, width, paint)] : []),
    ...(scalings.length > 0 ? wrapped(SCALING_NOTE, width).map((line) => paint('dim', line)) : []),
    ...(notes.length > 0 ? ['', ...tableLines(['why', ''], notes, width, paint)] : []),
  ]
}
