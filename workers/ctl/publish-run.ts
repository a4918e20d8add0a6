import { createReadStream } from 'node:fs'
import type { Publisher } from '../../shared/engine/ports.ts'
import { TidemarkError } from '../../shared/errors.ts'
import type { Topic } from '../../shared/events/index.ts'
import { type PublishSummary, publish } from './publish.ts'
import { LONGEST_LINE, type Mode } from './publish-check.ts'
import { lines } from './publish-lines.ts'

export interface PublishCommand {
  /** A path; `-` or nothing is standard input. */
  readonly file?: string | undefined
  readonly topic?: string | undefined
  readonly mode?: Mode | undefined
  readonly strict?: boolean | undefined
}

/** Where a command's words go; a process is one. */
export interface Terminal {
  readonly stdin: AsyncIterable<Buffer>
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
}

/**
 * `tidemark publish`: bad lines to standard error as they are met, the positions written to standard output at the end. Gives the
 * exit code: 0 if every line was published, 1 if any was refused. Throws USAGE if the file can't be read.
 */
export async function runPublish(
  { file = '-', topic, mode = 'structured', strict = false }: PublishCommand,
  topics: readonly Topic[],
  publisher: Pick<Publisher, 'publish'>,
  terminal: Terminal = process,
): Promise<number> {
  const refuse = ({ line, code, reason }: { line: number; code: string; reason: string }) =>
    terminal.stderr.write(`line ${line}: ${code}: ${reason}\n`)
  const input = file === '-' ? terminal.stdin : readFrom(file)
  const summary = await publish(lines(input, LONGEST_LINE), topics, publisher, { topic, mode, strict, refuse })
  terminal.stdout.write(report(summary))
  return summary.refused > 0 ? 1 : 0
}

/** Larger pieces than a pipe's: fewer round trips to the brokers. */
const PIECE_BYTES = 256 * 1024

async function* readFrom(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { highWaterMark: PIECE_BYTES })
  } catch (cause) {
    // Only reading can throw here: a consumer that fails ends the generator without an error of its own.
    throw new TidemarkError('USAGE', `the file ${file} can't be read`, {
      cause,
      remedy: 'Check the path; `-` reads standard input.',
    })
  }
}

function report({ published, refused, ranges }: PublishSummary): string {
  const collator = new Intl.Collator('en', { numeric: true })
  const rows = [...ranges].sort(([a], [b]) => collator.compare(a, b))
  const width = Math.max(0, ...rows.map(([source]) => source.length))
  const table = rows.map(
    ([source, { first, last, count }]) => `${source.padEnd(width)}  ${first}..${last}  (${count})\n`,
  )
  return `${table.join('')}published ${published}, refused ${refused}\n`
}
