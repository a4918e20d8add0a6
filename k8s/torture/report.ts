import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './ground.ts'
import type { RoundResult } from './round.ts'

/** What a run of the suite has come to. */
export interface Report {
  readonly seed: number
  readonly rounds: number
  readonly events: number
  readonly differences: number
  readonly faults: Readonly<Record<string, number>>
  /** Times a worker ended and another took over. */
  readonly takeovers: number
  /** Seconds; undefined where there was no round of the kind. */
  readonly longestTakeoverAfterKill: number | undefined
  readonly longestTakeoverAfterStop: number | undefined
  readonly longestStallUnderPoison: number | undefined
  readonly seconds: number
}

export function reportOf(seed: number, results: readonly RoundResult[]): Report {
  const faults: Record<string, number> = {}
  for (const name of results.flatMap((result) => result.faults)) faults[name] = (faults[name] ?? 0) + 1
  const sum = (of: (result: RoundResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const longest = (kind: RoundResult['kind']) => {
    const stalls = results.filter((result) => result.kind === kind).map(({ stalledMs }) => stalledMs)
    return stalls.length === 0 ? undefined : Math.round(Math.max(...stalls) / 10) / 100
  }
  return {
    seed,
    rounds: results.length,
    events: sum(({ events }) => events),
    differences: sum(({ differences }) => differences.length),
    faults: Object.fromEntries(Object.entries(faults).sort()),
    takeovers: sum(({ restarts, kind }) => restarts + (kind === 'stop' ? 1 : 0)),
    longestTakeoverAfterKill: longest('kill'),
    longestTakeoverAfterStop: longest('stop'),
    longestStallUnderPoison: longest('poison'),
    seconds: Math.round(sum(({ seconds }) => seconds)),
  }
}

/** Writes `report/torture.json` and `report/torture.md`; gives the latter. */
export function writeReport(report: Report): string {
  const folder = join(ROOT, 'report')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'torture.json'), `${JSON.stringify(report, null, 2)}\n`)
  const figure = (seconds: number | undefined) => (seconds === undefined ? 'not measured' : `${seconds} s`)
  const text = [
    `# Torture, seed ${report.seed}`,
    '',
    `${report.rounds} rounds, ${report.events} events, ${report.differences} differences, ${report.seconds} s.`,
    '',
    `- takeovers: ${report.takeovers}`,
    `- longest time a partition stood still after SIGKILL: ${figure(report.longestTakeoverAfterKill)}`,
    `- … after SIGTERM: ${figure(report.longestTakeoverAfterStop)}`,
    `- … while there was poison on it: ${figure(report.longestStallUnderPoison)}`,
    '',
    '| fault | rounds |',
    '|---|---|',
    ...Object.entries(report.faults).map(([name, count]) => `| ${name} | ${count} |`),
    '',
  ].join('\n')
  writeFileSync(join(folder, 'torture.md'), text)
  return text
}
