import type { State, VersionStatus } from './status.ts'
import { type Cell, type Colour, count, duration, type Output, paintFor, tableLines, widthOf } from './terminal.ts'

const COLOURS: Readonly<Record<State, Colour | undefined>> = {
  'never-started': 'dim',
  refused: 'red',
  stopped: 'red',
  rebalancing: 'yellow',
  stalled: 'red',
  running: 'yellow',
  'caught-up': 'green',
}

const HEADINGS = ['projection', 'state', 'lag>', 'age>', 'rate/s>', 'drain>', 'members>', 'dead>']

/** The table that `tidemark status` prints; what a person should know about a version follows below it. */
export function statusLines(statuses: readonly VersionStatus[], output: Output): readonly string[] {
  const paint = paintFor(output)
  const width = widthOf(output)
  if (statuses.length === 0) return ['There are no projections.']
  const rows = statuses.map((status): Cell[] => {
    const { state, lag, ageSeconds, ratePerSecond, timeToDrainSeconds: drain, members, deadLetters } = status
    const colour = COLOURS[state]
    return [
      { text: `${status.projection} v${status.version}` },
      { text: state, ...(colour && { colour }) },
      { text: count(lag) },
      { text: lag === 0 ? '-' : duration(Math.round(ageSeconds)) },
      { text: count(Math.round(ratePerSecond)) },
      { text: lag === 0 ? '-' : drain === null ? 'never' : duration(drain) },
      { text: String(members) },
      { text: String(deadLetters).padStart(4), ...(deadLetters > 0 && { colour: 'yellow' as const }) },
    ]
  })
  const notes = statuses.flatMap(({ projection, version, why }) =>
    why.map((reason) => [{ text: `${projection} v${version}` }, { text: reason }]),
  )
  return [
    ...tableLines(HEADINGS, rows, width, paint),
    ...(notes.length > 0 ? ['', ...tableLines(['why', ''], notes, width, paint)] : []),
  ]
}
