import { scopeText } from '../../shared/engine/index.ts'
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
import { count, cut, type Output, paintFor, tableLines, widthOf } from './terminal.ts'

/** The projections a command is about, and how to get at their dead letters. */
export interface Desks {
  readonly projections: { readonly all: readonly Projection[]; get(name: string): Projection }
  desk(projection: Projection): DeadLetterPorts
}

const HEADINGS = ['PROJECTION', 'POSITION', 'STATE', 'HOLDS UP', 'WAITING>', 'WHY']
/** Longer names of rows are cut. */
const SCOPE_WIDTH = 30
/** So much of the reason is shown, however narrow the terminal: at least the code. */
const LEAST_REASON = 20

/** `tidemark dead-letters list`: a line for each. Returns the exit code: 0, whether or not there are any. */
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
  if (json)
    output.write(
      `${JSON.stringify(
        letters.map((letter) => ({ ...letter, holdsUp: scopeText(letter.scope) })),
        null,
        2,
      )}\n`,
    )
  else if (letters.length === 0) output.write(`no dead letters${all ? '' : ' wait'}\n`)
  else {
    const width = widthOf(output)
    const rows = letters.map(({ projection, version, position, state, scope, waiting, code, reason }) => [
      `${projection}.v${version}`,
      position,
      state,
      cut(scopeText(scope), SCOPE_WIDTH),
      count(waiting),
      `${code} ${reason}`,
    ])
    // One line each: what does not fit is in `show`.
    const before = HEADINGS.slice(0, -1).reduce(
      (sum, heading, column) =>
        sum + 2 + Math.max(heading.replace('>', '').length, ...rows.map((row) => row[column]!.length)),
      0,
    )
    const room = Math.max(LEAST_REASON, width - before)
    const cells = rows.map((row) =>
      row.map((text, column) => ({ text: column === row.length - 1 ? cut(text, room) : text })),
    )
    output.write(`${tableLines(HEADINGS, cells, Math.max(width, before + room), paintFor(output)).join('\n')}\n`)
    output.write('\nIn full: tidemark dead-letters show POSITION\n')
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
    holdsUp: scopeText(letter.scope),
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
      const { valueBase64, headers, ...rest } = letter
      for (const [name, value] of Object.entries({
        ...rest,
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
