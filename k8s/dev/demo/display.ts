import { stripVTControlCharacters, styleText } from 'node:util'
import type { Observation } from './observation.ts'

const PLAIN_EVERY_MS = 4_000

/** The story on a terminal: lines that stay, and below them a table that is redrawn. Elsewhere a line every few seconds. */
export class Display {
  readonly #out: NodeJS.WriteStream
  readonly #began = Date.now()
  #drawn = 0
  #lastPlain = 0
  #rates: { readonly at: number; readonly handled: number }[] = []

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out
  }

  get seconds(): number {
    return (Date.now() - this.#began) / 1_000
  }

  heading(text: string): void {
    this.say(`\n${styleText('bold', text)}`)
  }

  say(line: string): void {
    this.erase()
    this.#out.write(`${line}\n`)
  }

  /** A step that is done, with what it took and what there is to see of it. */
  done(what: string, since: number, more = ''): void {
    const took = `${((Date.now() - since) / 1_000).toFixed(1)} s`
    this.say(`${styleText('green', '✓')} ${what} ${styleText('dim', `(${took})`)}${more === '' ? '' : `  ${more}`}`)
  }

  failed(what: string): void {
    this.say(`${styleText('red', '✗')} ${what}`)
  }

  /** Shows how the fleet is doing. */
  show({ projections, owned, lag, ageSeconds, handled }: Observation, workers: readonly string[], of: number): void {
    const rate = this.#rate(handled)
    const unread = of - owned
    const alone = unread > 0 ? styleText('yellow', `, ${unread} of ${of} partitions unread`) : ''
    const line = `${this.seconds.toFixed(0).padStart(4)} s   ${Math.round(rate).toLocaleString('en').padStart(6)} events/s into the views   lag ${(unread > 0 ? `≥ ${lag}` : String(lag)).padStart(6)}   age ${unread > 0 ? '≥ ' : ''}${ageSeconds.toFixed(1)} s${alone}`
    if (!this.#out.isTTY) {
      if (Date.now() - this.#lastPlain < PLAIN_EVERY_MS) return
      this.#lastPlain = Date.now()
      this.#out.write(`${line}\n`)
      return
    }
    const table = [
      styleText(
        'dim',
        `  ${'view'.padEnd(20)}${'lag'.padStart(7)}${'age s'.padStart(8)}   partitions of ${workers.join(' + ')}`,
      ),
      ...projections.map(
        (one) =>
          `  ${one.projection.padEnd(20)}${String(one.lag).padStart(7)}${one.ageSeconds.toFixed(1).padStart(8)}   ${one.partitions.map((count) => '■'.repeat(count) || '·').join(' + ')}`,
      ),
      line,
    ]
    this.erase()
    this.#out.write(`${table.join('\n')}\n`)
    const columns = this.#out.columns || 80
    const rows = table.map((row) => Math.max(1, Math.ceil(stripVTControlCharacters(row).length / columns)))
    this.#drawn = rows.reduce((sum, one) => sum + one, 0)
  }

  /** Takes the table away. */
  erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`)
    this.#drawn = 0
  }

  /** Over the last three seconds; a process that was killed takes its count with it, which is no negative rate. */
  #rate(handled: number): number {
    const at = Date.now()
    const last = this.#rates.at(-1)
    if (last && handled < last.handled) this.#rates = []
    this.#rates = [...this.#rates.filter((one) => at - one.at < 3_000), { at, handled }]
    const first = this.#rates[0]
    return first && at > first.at ? ((handled - first.handled) * 1_000) / (at - first.at) : 0
  }
}
