import { shown } from './values.ts'

/**
 * A copy that shares nothing that could be changed: arrays, plain objects, Dates, Maps, Sets and bytes, at any depth.
 * Objects of other classes are taken as they are.
 */
export function copy<T>(value: T): T
export function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  if (value instanceof Date) return new Date(value.getTime())
  if (value instanceof Map) return new Map(Array.from(value, ([key, of]) => [copy(key), copy(of)]))
  if (value instanceof Set) return new Set(Array.from(value, copy))
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]))
}

/** Of what kind an object is: the Dates, Sets and Maps of rows are no others than those that may be changed. */
function kind(value: object): unknown {
  return [Date, Set, Map].find((one) => value instanceof one) ?? Object.getPrototypeOf(value)
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Where two values first differ and how: `.items.0: 1 became 2`. Undefined if they are alike. */
export function difference(before: unknown, after: unknown): string | undefined {
  return compare(before, after, '', new Set())
}

function compare(before: unknown, after: unknown, path: string, within: Set<unknown>): string | undefined {
  if (Object.is(before, after) || within.has(before)) return undefined
  const differs = () => `${path && `${path}: `}${shown(before)} became ${shown(after)}`
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return differs()
  if (kind(before) !== kind(after)) return differs()
  if (before instanceof Date && after instanceof Date)
    return Object.is(before.getTime(), after.getTime()) ? undefined : differs()
  if (before instanceof Uint8Array && after instanceof Uint8Array)
    return Buffer.compare(before, after) === 0 ? undefined : differs()
  const [left, right] = [parts(before), parts(after)]
  if (left.length !== right.length) return differs()
  within.add(before) // Only what contains itself is passed over, not what is met twice.
  for (const [index, [name, part]] of left.entries()) {
    const [otherName, otherPart] = right[index]!
    const found = compare(name, otherName, path, within) ?? compare(part, otherPart, `${path}.${String(name)}`, within)
    if (found !== undefined) return found
  }
  within.delete(before)
  return undefined
}

function parts(value: object): [unknown, unknown][] {
  if (value instanceof Map) return [...value]
  if (value instanceof Set) return Array.from(value, (element, index) => [index, element])
  return Object.entries(value)
}
