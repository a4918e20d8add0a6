import { isDeepStrictEqual } from 'node:util'
import type { Fold, Folded } from './fold.ts'
import type { StoredLetter } from './stored.ts'

/** What differs between a view as it should be and what is stored of it: each function gives sentences. */

/** Each poison event is there once, as the log has it and under its code, and no other; open while something waits behind it. */
export function lettersDiffer(
  name: string,
  { letters, parked }: Pick<Fold<unknown, unknown>, 'letters' | 'parked'>,
  stored: readonly StoredLetter[],
): readonly string[] {
  const differences: string[] = []
  const open = new Set([...parked].map(([scope, [first]]) => `${scope} ${first}`))
  const found = new Set<string>()
  for (const { source, scope, offset, state, code, content, timestamp } of stored) {
    const letter = `${source} ${scope} ${offset}`
    if (found.has(letter)) differences.push(`${name}: ${letter} is there twice`)
    found.add(letter)
    const wanted = letters.get(letter)
    if (!wanted) differences.push(`${name}: ${letter} is a dead letter, and should not be`)
    else if (!isDeepStrictEqual({ code, content, timestamp }, { ...wanted }))
      differences.push(
        `${name}: dead letter ${letter} is ${text({ code, content, timestamp })}, and should be ${text(wanted)}`,
      )
    else if (open.has(letter) !== (state === 'parked'))
      differences.push(
        `${name}: dead letter ${letter} is ${state}, though it ${open.has(letter) ? 'holds' : 'should not hold'} its scope`,
      )
  }
  for (const letter of letters.keys()) if (!found.has(letter)) differences.push(`${name}: no dead letter for ${letter}`)
  return differences
}

/** What waits is kept in order, all of it and nothing else. */
export function waitingDiffers(
  name: string,
  { parked }: Pick<Fold<unknown, unknown>, 'parked'>,
  stored: ReadonlyMap<string, readonly number[]>,
): readonly string[] {
  const differences: string[] = []
  for (const [scope, offsets] of parked) {
    const kept = stored.get(scope) ?? []
    if (!isDeepStrictEqual(kept, offsets))
      differences.push(`${name}: behind ${scope} wait ${kept.join(' ')}, and should ${offsets.join(' ')}`)
  }
  for (const [scope, { length }] of stored)
    if (!parked.has(scope)) differences.push(`${name}: ${length} events wait in ${scope}, and should not`)
  return differences
}

/** Every row, its position and its source. */
export function rowsDiffer(
  name: string,
  rows: ReadonlyMap<string, Folded<unknown>>,
  stored: ReadonlyMap<string, Folded<unknown>>,
): readonly string[] {
  return [...new Set([...rows.keys(), ...stored.keys()])].flatMap((id) => {
    const [want, have] = [rows.get(id), stored.get(id)]
    return isDeepStrictEqual(want, have) ? [] : [`${name}: ${id} is ${text(have)}, and should be ${text(want)}`]
  })
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? 'missing'
}
