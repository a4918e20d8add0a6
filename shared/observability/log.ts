import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import pretty from 'pino-pretty'
import { TidemarkError } from '../errors.ts'

export type { Logger }

/**
 * The process's logger. Levels are by reader: debug for who develops Tidemark, info for who runs a projection, warn and above for
 * who must act, and these say what it means or what to do next.
 *
 * Pretty on a terminal, one JSON object a line elsewhere. Everything goes to standard error: standard output belongs to the
 * answers of commands.
 */
export function createLogger({ level }: { readonly level: string }, output: LogOutput = standardError): Logger {
  const common = { level, timestamp: () => `,"time":"${new Date().toISOString()}"`, serializers: { err: errorFields } }
  if (output.terminal)
    return pino(
      common,
      pretty({ destination: output.stream, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true }),
    )
  return pino({ ...common, base: null, formatters: { level: (label) => ({ level: label }) } }, output.stream)
}

/** Where lines go, and whether a person looks on. */
export interface LogOutput {
  readonly terminal: boolean
  readonly stream: DestinationStream & NodeJS.WritableStream
}

/** Written at once, so that the last line before a crash is not lost. */
const standardError: LogOutput = { terminal: process.stderr.isTTY === true, stream: process.stderr }

/** An error as a log line carries it: what can be acted on first; the stack only where no catalogue entry explains it. */
export function errorFields(error: unknown): object {
  if (!(error instanceof TidemarkError))
    return error instanceof Error ? stdSerializers.err(error) : { message: String(error) }
  const { code, message, remedy, cause } = error
  return {
    code,
    message,
    remedy,
    ...(cause === undefined ? {} : { cause: cause instanceof Error ? cause.message : String(cause) }),
  }
}
