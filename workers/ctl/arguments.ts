import { InvalidArgumentError } from 'commander'
import { type Position, parsePosition } from '../../shared/events/position.ts'

/* What is typed on the command line, as values. Each throws what commander shows beside the argument's name. */

export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}

/** `2`, or `v2`. */
export function versionNumber(text: string): number {
  const [, digits] = /^v?([1-9]\d{0,8})$/.exec(text) ?? []
  if (digits === undefined) throw new InvalidArgumentError('It must be a whole number from 1, like 2.')
  return Number(digits)
}

/** Seconds. */
export function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('It must be a time like 30s, 5m or 1h.')
  return Number(amount) * { ms: 0.001, s: 1, m: 60, h: 3600 }[unit]!
}

export function position(text: string): Position {
  const found = parsePosition(text)
  if (!found) throw new InvalidArgumentError('It must be a position like carts/3/1234.')
  return found
}
