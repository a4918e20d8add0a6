import { TidemarkError } from '../../shared/errors.ts'
import { type Position, positionText } from '../../shared/events/position.ts'
import { type Projection, versionName } from '../../shared/projection/projection.ts'
import {
  type DeadLetterPorts,
  type Decision,
  decide,
  type ListedLetter,
  listDeadLetters,
  showDeadLetters,
} from './dead-letters.ts'
import { count, type Output, paintFor, tableLines, widthOf } from './terminal.ts'

/** The projections a command is about, and how to get at their dead letters. */
export interface Desks {
  readonly projections: { readonly all: readonly Projection[]; get(name: string): Projection }
  desk(projection: Projection): DeadLetterPorts
}

/** `tidemark dead-letters list`. Returns the exit code: 0, whether or not there are any. */
export async function listCommand(
  names: readonly string[],
  { projections, desk }: Desks,
  { all = false, json = false }: { all?: boolean; json?: boolean },
  output: Output,
): Promise<number> {
  const letters: ListedLetter[] = []
  for (const projection of names.length === 0 ? projections.all : names.map(projections.get)) {
    try {
      for await (const letter of listDeadLetters(desk(projection), { all })) letters.push(letter)
    } catch (error) {
      // What nobody has asked for by name and `init` has never made has no dead letters.
      if (names.length > 0 || !(error instanceof TidemarkError && error.code === 'TOPIC_MISSING')) throw error
    }
  }
  if (json) output.write(`${JSON.stringify(letters, null, 2)}\n`)
  else if (letters.length === 0) output.write(`no dead letters${all ? '' : ' wait'}\n`)
  else {
    const rows = letters.map(({ projection, version, position, state, scope, waiting, code, reason }) =>
      [`${projection}.v${version}`, position, state, readable(scope), count(waiting), `${code} ${reason}`].map(
        (text) => ({ text }),
      ),
    )
    output.write(
      `${tableLines(['PROJECTION', 'POSITION', 'STATE', 'HOLDS UP', 'WAITING>', 'WHY'], rows, widthOf(output), paintFor(output)).join('\n')}\n`,
    )
  }
  return 0
}

/** `tidemark dead-letters show POSITION`: everything there is to know, the original bytes included. */
export async function showCommand(
  at: Position,
  desks: Desks,
  { projection, json = false }: { projection?: string; json?: boolean },
  output: Output,
): Promise<number> {
  const letters = (
    await Promise.all(candidates(desks, at, projection).map((one) => showDeadLetters(desks.desk(one), at)))
  ).flat()
  if (letters.length === 0)
    throw new TidemarkError('USAGE', `there is no dead letter at ${positionText(at)}.`, {
      remedy: 'See `tidemark dead-letters list`.',
    })
  const shown = letters.map(({ record, ...letter }) => ({
    ...letter,
    producedAt: new Date(record.timestamp).toISOString(),
    key: record.key?.toString() ?? null,
    headers: Object.fromEntries(
      Object.entries(record.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(String) : String(value),
      ]),
    ),
    value: record.value?.toString() ?? null,
    valueBase64: record.value?.toString('base64') ?? null,
  }))
  if (json) output.write(`${JSON.stringify(shown, null, 2)}\n`)
  else {
    for (const letter of shown) {
      const { valueBase64, headers, scope, ...rest } = letter
      for (const [name, value] of Object.entries({
        ...rest,
        holdsUp: readable(scope),
        headers: JSON.stringify(headers),
      }))
        output.write(`${name.padEnd(12)} ${value}\n`)
      output.write('\n')
    }
  }
  return 0
}

export interface DecideOptions {
  readonly projection?: string
  readonly all?: boolean
  readonly waitMs: number
}

/** `tidemark dead-letters retry|skip`. Returns 1 if anything asked for was not done. */
export async function decideCommand(
  action: Decision['action'],
  at: Position | undefined,
  desks: Desks,
  { projection, all = false, waitMs }: DecideOptions,
  output: Output,
): Promise<number> {
  const decideAll = async (of: Projection, position?: Position) => {
    let [done, undone] = [0, 0]
    for await (const { done: ok, position: where, message } of decide(desks.desk(of), position, { action, waitMs })) {
      if (ok) done++
      else undone++
      output.write(`${versionName(of)} ${where}: ${ok ? '' : 'not done: '}${message}\n`)
    }
    if (done + undone !== 1) output.write(`${action}: ${done} done, ${undone} not done\n`)
    return undone > 0 ? 1 : 0
  }
  if (all) {
    if (!projection || at) throw new TidemarkError('USAGE', '--all needs --projection, and no position.')
    return decideAll(desks.projections.get(projection))
  }
  if (!at) throw new TidemarkError('USAGE', `name a position like carts/3/1234, or --all --projection NAME.`)
  const holding: Projection[] = []
  for (const candidate of candidates(desks, at, projection))
    if ((await showDeadLetters(desks.desk(candidate), at)).some(({ state }) => state === 'parked'))
      holding.push(candidate)
  const [first, second] = holding
  if (!first)
    throw new TidemarkError('USAGE', `no dead letter waits at ${positionText(at)}.`, {
      remedy: 'See `tidemark dead-letters list --all`.',
    })
  if (second)
    throw new TidemarkError(
      'USAGE',
      `${holding.map(versionName).join(' and ')} have a dead letter at ${positionText(at)}.`,
      { remedy: 'Say which with --projection.' },
    )
  return decideAll(first, at)
}

function candidates({ projections }: Desks, { topic }: Position, name: string | undefined): readonly Projection[] {
  return name === undefined
    ? projections.all.filter(({ topics }) => topics.some((one) => one.name === topic))
    : [projections.get(name)]
}

/** `row "c1"`, `key "c1"`, `nothing` (a record without a key). */
function readable(scope: string): string {
  const rest = scope.slice(4)
  if (scope.startsWith('row:')) return `row ${JSON.stringify(rest)}`
  return rest === '' ? 'nothing' : `key ${JSON.stringify(Buffer.from(rest, 'base64').toString())}`
}
