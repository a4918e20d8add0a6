/** One thing that is being waited for. */
export type Step = {
  /** What is going on in it right now, as "41 MB". */
  detail(text: string): void
  done(outcome: string): void
}

export type Progress = {
  step(name: string): Step
  /** A line that stays. */
  say(line: string): void
  close(): void
}

const PLAIN_EVERY_MS = 10_000

/** One redrawn line on a terminal; elsewhere a line for each step that ends, and one every ten seconds of silence. */
export function showProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const open = new Map<string, { since: number; detail: string }>()
  let lastLine = Date.now()

  const summary = () =>
    [...open].map(([name, { since, detail }]) => [name, detail, seconds(since)].filter(Boolean).join(' ')).join(' · ')
  const erase = () => out.isTTY && out.write('\r\x1b[K')
  const say = (line: string) => {
    erase()
    out.write(`${line}\n`)
    lastLine = Date.now()
  }
  const timer = setInterval(() => {
    if (open.size === 0) return
    if (out.isTTY) out.write(`\r\x1b[K${summary().slice(0, (out.columns ?? 80) - 1)}`)
    else if (Date.now() - lastLine >= PLAIN_EVERY_MS) say(`… ${summary()}`)
  }, 150)
  timer.unref()

  return {
    step(name) {
      const since = Date.now()
      open.set(name, { since, detail: '' })
      return {
        detail: (text) => open.set(name, { since, detail: text }),
        done(outcome) {
          open.delete(name)
          say(`${name} ${outcome} (${seconds(since)})`)
        },
      }
    },
    say,
    close() {
      clearInterval(timer)
      erase()
    },
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}
