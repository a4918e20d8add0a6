import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLAIMED, type Claim, claims } from './claims.ts'
import { ROOT } from './ground.ts'
import type { RoundResult } from './round.ts'

const FOLDER = join(ROOT, 'report')
const RUNS = join(FOLDER, 'torture-runs')

/** What one run of the suite, or several together, have come to. Seconds; undefined where there was no round of the kind. */
export interface Report {
  readonly title: string
  readonly rounds: number
  readonly events: number
  readonly differences: number
  /** What ended a run, if not its last round. */
  readonly failures: readonly string[]
  readonly faults: Readonly<Record<string, number>>
  /** Times a worker ended and another took over. */
  readonly takeovers: number
  readonly audits: number
  readonly longest: Readonly<Partial<Record<Figure, number>>>
  readonly seconds: number
}

const FIGURES = {
  takeoverAfterKill: 'takeover, from SIGKILL to progress of every partition (session timeout 6 s)',
  takeoverAfterRebalance: 'takeover, from the rebalance after SIGTERM to progress of every partition',
  takeoverAfterStop: '… from SIGTERM',
  delayUnderPoison: 'delay of a row without poison, from Kafka to CQL, with poison on its partition',
  delay:
    'delay of an unaffected row with any fault, outages of the servers themselves and the backlog before it included',
  stall: 'time that a partition with work stood still, likewise',
} as const
type Figure = keyof typeof FIGURES

export interface Run {
  readonly seed: number
  readonly servers: number
  readonly began: Date
  readonly failed: unknown
}

/** `played`: what has happened to the log itself, each in a world of its own. */
export function reportOf(
  { seed, servers, began, failed }: Run,
  results: readonly RoundResult[],
  played: readonly string[],
): Report {
  const faults: Record<string, number> = {}
  for (const name of [...results.flatMap((result) => result.faults), ...played]) faults[name] = (faults[name] ?? 0) + 1
  const sum = (of: (result: RoundResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const figures: Record<Figure, (result: RoundResult) => number | undefined> = {
    takeoverAfterKill: ({ measured }) => measured.takeoverAfterKillMs,
    takeoverAfterRebalance: ({ measured }) => measured.takeoverAfterRebalanceMs,
    takeoverAfterStop: ({ measured }) => measured.takeoverAfterStopMs,
    delayUnderPoison: ({ kind, delayMs }) => (kind === 'poison' ? delayMs : undefined),
    delay: ({ delayMs }) => delayMs,
    stall: ({ stalledMs }) => stalledMs,
  }
  const longest = Object.entries(figures).flatMap(([name, of]) => {
    const found = results.flatMap((result) => of(result) ?? [])
    return found.length === 0 ? [] : [[name, Math.round(Math.max(...found)) / 1_000] as const]
  })
  return {
    title: `${began.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-servers-${servers}-seed-${seed}`,
    rounds: results.length,
    events: sum(({ events }) => events),
    differences: sum(({ differences }) => differences.length),
    failures: failed === undefined ? [] : [String(failed)],
    faults,
    takeovers: sum(({ takeovers }) => takeovers),
    audits: sum(({ audits }) => audits),
    longest: Object.fromEntries(longest),
    seconds: Math.round(sum(({ seconds }) => seconds)),
  }
}

/** Writes a run into `report/torture-runs`, and all that lie there together into `report/torture.md` and `.json`; gives the run's text. */
export function writeReport(report: Report): string {
  mkdirSync(RUNS, { recursive: true })
  writeFileSync(join(RUNS, `${report.title}.json`), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(RUNS, `${report.title}.md`), reportText(report))
  const files = readdirSync(RUNS).filter((name) => name.endsWith('.json'))
  const all = together(files.map((name): Report => JSON.parse(readFileSync(join(RUNS, name), 'utf8'))))
  writeFileSync(join(FOLDER, 'torture.json'), `${JSON.stringify(all, null, 2)}\n`)
  writeFileSync(join(FOLDER, 'torture.md'), reportText(all))
  return reportText(report)
}

function together(runs: readonly Report[]): Report {
  const sum = (of: (run: Report) => number) => runs.reduce((total, run) => total + of(run), 0)
  const faults: Record<string, number> = {}
  const longest: Partial<Record<Figure, number>> = {}
  for (const run of runs) {
    for (const [name, count] of Object.entries(run.faults)) faults[name] = (faults[name] ?? 0) + count
    for (const name of FIGURE_NAMES)
      if (run.longest[name] !== undefined) longest[name] = Math.max(longest[name] ?? 0, run.longest[name])
  }
  return {
    title: `${runs.length} runs`,
    rounds: sum(({ rounds }) => rounds),
    events: sum(({ events }) => events),
    differences: sum(({ differences }) => differences),
    failures: runs.flatMap(({ title, failures }) => failures.map((failure) => `${title}: ${failure}`)),
    faults,
    takeovers: sum(({ takeovers }) => takeovers),
    audits: sum(({ audits }) => audits),
    longest,
    seconds: sum(({ seconds }) => seconds),
  }
}

const FIGURE_NAMES = Object.keys(FIGURES).filter((name): name is Figure => name in FIGURES)

/** What is claimed of a figure, and whether the longest has kept it. */
function judged(name: Figure, seconds: number | undefined): string {
  const claimed = CLAIMED.find((one) => one === name)
  if (!claimed) return ' | '
  const { most }: Claim = claims[claimed]
  const verdict = seconds === undefined ? '' : seconds * 1_000 <= most ? 'reached' : 'not reached'
  return `${most / 1_000} | ${verdict}`
}

/** As Markdown. */
export function reportText({
  title,
  rounds,
  events,
  differences,
  failures,
  faults,
  takeovers,
  audits,
  longest,
  seconds,
}: Report): string {
  return [
    `# Torture, ${title}`,
    '',
    `${rounds} rounds, ${events} events, ${differences} differences, ${seconds} s.`,
    ...failures.map((failure) => `\nEnded early: ${failure}`),
    '',
    `- takeovers: ${takeovers}`,
    `- times it was seen in the midst of faults that commits follow writes and positions do not go back: ${audits}`,
    '',
    '| longest | seconds | at most, claimed | |',
    '|---|---|---|---|',
    ...FIGURE_NAMES.map(
      (name) => `| ${FIGURES[name]} | ${longest[name] ?? 'not measured'} | ${judged(name, longest[name])} |`,
    ),
    '',
    '| fault | times |',
    '|---|---|',
    ...Object.entries(faults)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `| ${name} | ${count} |`),
    '',
  ].join('\n')
}
