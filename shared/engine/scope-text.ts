import type { Scope } from './ports.ts'

/** A scope for people: `row "c1"`, `row ["carts","c1"]` where the key has several parts, `key "c1"`, `nothing` for a record without a key. */
export function scopeText(scope: Scope): string {
  const rest = scope.slice(4)
  if (scope.startsWith('row:')) return `row ${JSON.stringify(unframed(rest) ?? rest)}`
  return rest === '' ? 'nothing' : `key ${JSON.stringify(Buffer.from(rest, 'base64').toString())}`
}

/** The two or more parts that `framed` made a row's id of; undefined if it is no such text. */
function unframed(id: string): readonly string[] | undefined {
  const parts: string[] = []
  for (let at = 0; at < id.length; ) {
    const [head, length] = /^(0|[1-9]\d*):/.exec(id.slice(at, at + 8)) ?? []
    if (head === undefined) return undefined
    const from = at + head.length
    at = from + Number(length)
    if (at > id.length) return undefined
    parts.push(id.slice(from, at))
  }
  return parts.length > 1 ? parts : undefined
}
