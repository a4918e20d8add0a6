import { versionName } from '../../../shared/projection/projection.ts'
import { count, counted, duration, type Output, paintFor } from '../terminal.ts'
import type { Difference } from './difference.ts'
import type { Verification } from './verify.ts'

/** How many differences are shown to people; `--json` has more. */
const SHOWN = 20

/** Tells a person how it went: the differences, what could not be proven, and last one line that says it all. */
export function reportVerification(result: Verification, output: Output): void {
  const paint = paintFor(output)
  const name = `verify ${result.projection} v${result.version}`
  const line = (text: string) => output.write(`${text}\n`)
  for (const difference of result.differences.slice(0, SHOWN)) line(paint('red', differenceText(difference)))
  if (result.differenceCount > SHOWN)
    line(paint('red', `… and ${counted(result.differenceCount - SHOWN, 'more difference')}`))
  if (result.lag > 0) {
    const group = versionName({ name: result.projection, version: result.version })
    line(
      paint(
        'yellow',
        `${name}: not caught up: lag ${count(result.lag)}. Nothing was compared. Is group ${group} running? See \`tidemark status\`.`,
      ),
    )
    return
  }
  if (result.deadLetters > 0) {
    line(
      `${counted(result.deadLetters, 'unresolved dead letter')}, ${counted(result.parked, 'event')} waiting behind: their rows stand before them, as they should.`,
    )
  }
  if (result.unprovable > 0) {
    const cut = result.partitions.filter(({ whole }) => !whole).map(({ source, from }) => `${source} (from ${from} on)`)
    line(
      paint(
        'yellow',
        `${counted(result.unprovable, 'row')} can't be proven: retention has removed events they may have been made from. What is left: ${cut.join(', ')}.`,
      ),
    )
  }
  const figures = `${counted(result.events, 'event')}, ${counted(result.rows, 'row')} compared, ${counted(result.differenceCount, 'difference')}`
  line(`${paint(result.ok ? 'green' : 'red', `${name}: ${figures}`)} (${duration(result.seconds)})`)
}

/** One difference as one line. */
export function differenceText({ kind, subject, message, columns = [] }: Difference): string {
  const values = columns.map(({ name, expected, stored }) => `${name} is ${stored}, should be ${expected}`).join('; ')
  const what = kind === 'dead-letter' ? 'dead letter' : kind === 'parked' ? 'waiting' : kind === 'log' ? 'log' : 'row'
  return `${what} ${subject} ${message}${values ? `: ${values}` : ''}`
}
