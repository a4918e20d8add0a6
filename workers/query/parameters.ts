import { type Position, parsePosition } from '../../shared/events/index.ts'
import { HttpFault } from '../../shared/http/index.ts'
import { nearest } from '../../shared/nearest.ts'
import { timeOf } from './key.ts'

/** What a request asks for besides its address. */
export interface Parameters {
  readonly limit: number
  readonly page: string | undefined
  readonly after: Position | undefined
  readonly waitMs: number
  readonly at: Date | undefined
}

export const LIMIT = { default: 100, most: 1_000 } as const
/** Below the idle timeouts of usual load balancers. */
export const LONGEST_WAIT_MS = 30_000

/** Reads the query string. Throws 400 for a value that is not one, for a name given twice and for one that `known` does not have. */
export function readParameters(query: unknown, known: readonly (keyof Names)[]): Parameters {
  const given: Record<string, unknown> = { ...(typeof query === 'object' ? query : {}) }
  for (const [name, value] of Object.entries(given)) {
    if (!known.some((one) => one === name)) {
      const meant = nearest(name, known)
      throw invalid(`there is no parameter ${name} here${meant ? `: did you mean ${meant}?` : ''}`)
    }
    if (typeof value !== 'string') throw invalid(`parameter ${name} is given twice`)
  }
  const text = (name: keyof Names) => (typeof given[name] === 'string' && given[name] !== '' ? given[name] : undefined)
  const parsed = <T>(name: keyof Names, parse: (text: string) => T | undefined, rule: string): T | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    const found = parse(value)
    if (found === undefined) throw invalid(`${name}=${JSON.stringify(value)} must be ${rule}`)
    return found
  }
  const after = parsed('after', parsePosition, 'a position like carts/3/1234')
  const waitMs = parsed('wait', whole(0, LONGEST_WAIT_MS), `a whole number of milliseconds up to ${LONGEST_WAIT_MS}`)
  if (waitMs !== undefined && !after) throw invalid('wait needs after: the position to wait for')
  return {
    limit: parsed('limit', whole(1, LIMIT.most), `a whole number from 1 to ${LIMIT.most}`) ?? LIMIT.default,
    page: text('page'),
    after,
    waitMs: waitMs ?? 0,
    at: parsed('at', timeOf, 'a time like 2026-01-31T12:00:00Z (a + in it is %2B), or milliseconds since 1970'),
  }
}

interface Names {
  limit: string
  page: string
  after: string
  wait: string
  at: string
}

function whole(min: number, max: number) {
  return (text: string) =>
    /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined
}

function invalid(message: string): HttpFault {
  return new HttpFault(400, 'REQUEST_INVALID', message)
}
