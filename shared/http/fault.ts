import { catalogue, type ErrorCode, isKind, TidemarkError } from '../errors.ts'

/** What a client is told when its request did not go through: a status, and an error of the catalogue. */
export class HttpFault extends Error {
  readonly status: number
  readonly code: ErrorCode
  readonly details: object
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined
  readonly remedy: string

  /** `details` become further fields of the answer's `error`; `remedy` takes the place of the code's own. */
  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    { details = {}, retryAfter, remedy }: { details?: object; retryAfter?: number; remedy?: string } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
    this.retryAfter = retryAfter
    this.remedy = remedy ?? catalogue[code].remedy
  }

  get body(): object {
    const { code, message, remedy, details } = this
    return { error: { code, message, remedy, ...details } }
  }
}

const FASTIFY: Readonly<Record<string, readonly [number, ErrorCode]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'BODY_TOO_LARGE'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'MEDIA_TYPE_UNKNOWN'],
}

/** Seconds a client should wait for Kafka or Cassandra to come back: about a leader election. */
const RECOVERY_SECONDS = 2

/**
 * Any error as a client may see it. That Kafka or Cassandra is away is 503 and worth another try; what nobody foresaw is 500 and
 * shows nothing of itself, since messages of programs can carry data of others.
 */
export function faultOf(error: unknown): HttpFault {
  if (error instanceof HttpFault) return error
  if (isKind(error, 'transient')) return new HttpFault(503, error.code, error.message, { retryAfter: RECOVERY_SECONDS })
  if (error instanceof TidemarkError && error.code === 'EVENT_TOO_LARGE')
    return new HttpFault(413, error.code, error.message)
  if (isKind(error, 'usage')) return new HttpFault(400, error.code, error.message, { remedy: error.remedy })
  if (error instanceof TidemarkError) return new HttpFault(500, error.code, error.message)
  const { code, statusCode, message } = fields(error)
  const known = FASTIFY[code]
  if (known) return new HttpFault(known[0], known[1], message)
  if (statusCode >= 400 && statusCode < 500) return new HttpFault(statusCode, 'REQUEST_INVALID', message)
  if (statusCode === 503) return new HttpFault(503, 'OVERLOADED', message, { retryAfter: RECOVERY_SECONDS })
  return new HttpFault(500, 'INTERNAL', 'the request failed for a reason that is in the log')
}

function fields(error: unknown): { code: string; statusCode: number; message: string } {
  const {
    code = '',
    statusCode = 0,
    message = '',
  }: { code?: unknown; statusCode?: unknown; message?: unknown } = typeof error === 'object' && error !== null
    ? error
    : {}
  return { code: String(code), statusCode: Number(statusCode), message: String(message) }
}
