import { counted, type Output, paintFor, widthOf, wrapped } from '../terminal.ts'
import { type DoctorTools, examine } from './doctor.ts'
import type { Finding } from './finding.ts'

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const
const INDENT = ' '.repeat(6)

/** `tidemark doctor [--json] [--running …]`: each finding as it is found, a remedy below those that need one. Returns the exit code: 1 if anything failed. */
export async function doctorCommand(
  tools: DoctorTools,
  { json = false, running = [] }: { readonly json?: boolean; readonly running?: readonly string[] },
  output: Output,
): Promise<number> {
  const paint = paintFor(output)
  const findings: Finding[] = []
  for await (const finding of examine(tools, running)) {
    findings.push(finding)
    if (json) continue
    const { level, subject, message, remedy } = finding
    const lines = `${subject}: ${message}`.split('\n').flatMap((line) => wrapped(line, widthOf(output) - INDENT.length))
    output.write(`${paint(COLOURS[level], level.padEnd(4))}  ${lines.join(`\n${INDENT}`)}\n`)
    if (remedy)
      for (const line of wrapped(`→ ${remedy}`, widthOf(output) - INDENT.length)) output.write(`${INDENT}${line}\n`)
  }
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length
  if (json) output.write(`${JSON.stringify(findings, null, 2)}\n`)
  else
    output.write(
      `doctor: ${count('ok')} ok, ${counted(count('warn'), 'warning')}, ${counted(count('fail'), 'failure')}\n`,
    )
  return count('fail') > 0 ? 1 : 0
}
