import { count, type Output, widthOf } from './terminal.ts'

/** How far a long piece of work is. */
export interface ProgressBar {
  update(label: string, done: number, total: number): void
  /** Takes the bar off the screen, so that what follows begins on a clean line. */
  end(): void
}

const REDRAW_MS = 100
const LINE_MS = 10_000

/**
 * A bar that redraws itself on a terminal; elsewhere (logs, pipes) a plain line now and then, the first after ten seconds, so
 * that short work prints nothing.
 */
export function progressBar(output: Output, now: () => number = () => performance.now()): ProgressBar {
  const startedAt = now()
  let drawnAt = output.isTTY ? Number.NEGATIVE_INFINITY : startedAt
  let drawn = false
  return {
    update(label, done, total) {
      if (now() - drawnAt < (output.isTTY ? REDRAW_MS : LINE_MS)) return
      drawnAt = now()
      const share = total > 0 ? Math.min(1, done / total) : 0
      const figures = `${String(Math.floor(share * 100)).padStart(3)} %  ${count(done)} of ${count(total)}`
      if (!output.isTTY) {
        output.write(`${label} ${figures.trim()}\n`)
        return
      }
      const room = Math.max(10, Math.min(40, widthOf(output) - label.length - figures.length - 6))
      const filled = Math.round(share * room)
      output.write(
        `\r\u001b[K${label} ${'█'.repeat(filled)}${'░'.repeat(room - filled)} ${figures}`.slice(0, widthOf(output) + 3),
      )
      drawn = true
    },
    end() {
      if (drawn) output.write('\r\u001b[K')
      drawn = false
    },
  }
}
