/** How a worker's process has ended. */
export interface Exit {
  readonly worker: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What the suite had sent to end it. */
  readonly sent: ReadonlySet<NodeJS.Signals>
  /** Had its memory been made small, to be filled? */
  readonly starved: boolean
  /** The end of what it had said. */
  readonly words: string
}

/** sysexits' EX_CONFIG: a worker that a person has to look after. */
export const REFUSED = 78
/** What a worker says when it ends for its supervisor: a code of the catalogue, and nothing that nobody foresaw. */
const TRANSIENT = /^tidemark: [A-Z]+(_[A-Z]+)+: /m

/** What is wrong with an exit, as a sentence; undefined if it had to be. `outage`: did servers or networks suffer meanwhile (DESIGN §8)? */
export function troubleOf({ worker, code, signal, sent, starved, words }: Exit, outage: boolean): string | undefined {
  if (signal !== null && sent.has(signal)) return undefined
  if (code === 0 && sent.has('SIGTERM')) return undefined
  if (starved && /heap out of memory|heap limit/i.test(words)) return undefined
  if (outage && code === 1 && TRANSIENT.test(words)) return undefined
  const how =
    code === REFUSED ? 'refused to run' : `ended with ${signal ?? `code ${code}`}, which nothing it met allows`
  return `${worker} ${how}: ${words.trim() || 'it said nothing'}`
}
