import {
  type DeadLetterDesk,
  type DeadLetterStore,
  fingerprint,
  type Log,
  type ViewReader,
} from '../../../shared/engine/index.ts'
import { positionText } from '../../../shared/events/position.ts'
import { type Fold, foldOf } from '../../../shared/projection/fold.ts'
import type { Projection } from '../../../shared/projection/projection.ts'
import { Comparison, type Tally } from './comparison.ts'
import type { Differences } from './difference.ts'
import { LetterBook } from './letter-book.ts'
import { PlainFold } from './plain-fold.ts'
import { compareLetters, compareParked } from './set-aside-check.ts'
import { Slice } from './slice.ts'
import type { Span } from './span.ts'

export interface ProofPorts {
  readonly log: Log
  readonly reader: Pick<ViewReader, 'scan'>
  readonly deadLetters: Pick<DeadLetterStore, 'events' | 'load' | 'requests'> & Pick<DeadLetterDesk, 'list'>
}

/** What may be in memory at a time; beyond it the view is proven in slices. */
export interface ProofLimits {
  readonly rows: number
  readonly bytes: number
}

/** How far a proof is. `done` and `total` count records of the log, over all passes known so far. */
export interface Step {
  readonly phase: 'waiting' | 'folding' | 'comparing'
  readonly done: number
  readonly total: number
}

export interface Proof extends Tally {
  events: number
  deadLetters: number
  parked: number
  /** Was anything recorded or decided about dead letters meanwhile, so that differences may be of the moment only? */
  unsettled: boolean
}

export interface ProofParts {
  readonly projection: Projection
  readonly ports: ProofPorts
  readonly spans: readonly Span[]
  readonly limits: ProofLimits
  readonly differences: Differences
  readonly signal: AbortSignal | undefined
  readonly onStep: (step: Step) => void
}

/**
 * Proves that a view is the fold of its log up to the ends of the spans, which the workers must have committed. Memory is
 * bounded: the rows are taken in as many slices as are needed, each with a pass over the log and over the table.
 */
export async function prove(parts: ProofParts): Promise<Proof> {
  const { projection, ports, spans, differences } = parts
  const sources = spans.map(({ source }) => source)
  const book = await LetterBook.load(ports.deadLetters, sources)
  const proof: Proof = { events: 0, rows: 0, unprovable: 0, deadLetters: 0, parked: 0, unsettled: false }
  const fold = foldOf(projection)
  const slices = [Slice.whole]
  const total = spans.reduce((sum, { start, end }) => sum + end - start, 0)
  let pass = 0
  for (let slice = slices.pop(); slice; slice = slices.pop(), pass++) {
    const plain = new PlainFold(fold, book, slice)
    const events = await foldAll(
      plain,
      slices,
      parts,
      (done) =>
        parts.onStep({ phase: 'folding', done: pass * total + done, total: (pass + 1 + slices.length) * total }),
      pass === 0,
    )
    if (pass === 0) proof.events = events
    parts.onStep({ phase: 'comparing', done: (pass + 1) * total, total: (pass + 1 + slices.length) * total })
    proof.parked += await compareParked(plain, ports.deadLetters, differences)
    await compareRows(plain, fold, proof, parts)
  }
  proof.deadLetters = await compareLetters(book, spans, ports.deadLetters, differences)
  const after = await LetterBook.load(ports.deadLetters, sources)
  const requests = await Promise.all(sources.map((source) => ports.deadLetters.requests(source)))
  proof.unsettled = !book.agrees(after) || requests.some(({ length }) => length > 0)
  return proof
}

/** Folds the spans, and halves the slice whenever it grows too large. Returns how many records there were. */
async function foldAll(
  plain: PlainFold,
  slices: Slice[],
  parts: ProofParts,
  tell: (done: number) => void,
  first: boolean,
): Promise<number> {
  const { spans, ports, limits, signal, differences } = parts
  const tooLarge = () => plain.parts.size + plain.intruders.size > limits.rows || plain.bytes > limits.bytes
  let events = 0
  let before = 0
  for (const span of spans) {
    const reading = plain.reading(span)
    for await (const records of ports.log.read(span.source, span.start, span.end, signal)) {
      for (const record of records) {
        plain.record(reading, record)
        if (first && record.offset === span.mark?.position && fingerprint(record) !== span.mark.fingerprint) {
          differences.add(
            'log',
            positionText({ ...span.source, offset: record.offset }),
            'is another record than the one that was folded: the topic was re-created or cut',
          )
        }
        while (tooLarge() && plain.slice.divisible) {
          const [kept, other] = plain.slice.halves()
          slices.push(other)
          plain.narrow(kept)
        }
      }
      events += records.length
      tell(before + (records.at(-1)?.offset ?? span.start) - span.start)
    }
    before += span.end - span.start
  }
  return events
}

/**
 * Compares the table with the fold. Rows that live traffic has moved on meanwhile were written whole at a position of their own:
 * the log is folded on for them, up to exactly there.
 */
async function compareRows(plain: PlainFold, fold: Fold, tally: Tally, parts: ProofParts): Promise<void> {
  const { ports, spans, differences, signal } = parts
  const comparison = new Comparison({ shape: fold.shape, fold: plain, spans, differences, tally })
  for await (const piece of ports.reader.scan(signal)) for (const stored of piece) comparison.stored(stored)
  comparison.ended()
  const { moved, absent } = comparison
  if (moved.size + absent.size > 0) await follow(plain, comparison, parts)
  for (const part of absent.values()) comparison.missing(part)
  for (const [name, stored] of moved) comparison.astray(stored, plain.parts.get(name))
}

/** Folds on beyond the ends; rows that are found to be right there are taken out of `moved` and `absent`. */
async function follow(plain: PlainFold, comparison: Comparison, { spans, ports, signal }: ProofParts): Promise<void> {
  const { moved, absent } = comparison
  const wanted = spans.flatMap((span) => {
    const rows = [...moved.values()].filter(({ source }) => source === span.name)
    const gone = [...absent.values()].some(({ source }) => source === span.name)
    return rows.length > 0 || gone
      ? [
          {
            span,
            last: gone ? Number.POSITIVE_INFINITY : rows.reduce((last, { position }) => Math.max(last, position), 0),
          },
        ]
      : []
  })
  const ends = new Map<string, number>()
  for (const topic of new Set(wanted.map(({ span }) => span.source.topic))) {
    for (const [partition, { end }] of await ports.log.bounds(topic)) ends.set(`${topic}/${partition}`, end)
  }
  const book = await LetterBook.load(
    ports.deadLetters,
    wanted.map(({ span }) => span.source),
  )
  const names = new Set([...moved.keys(), ...absent.keys()])
  plain.follow(book, {
    names,
    applied(name, part) {
      const stored = moved.get(name)
      if (stored?.source === part.source && stored.position === part.position) {
        comparison.compare(part, stored, stored.span)
        moved.delete(name)
        names.delete(name)
      }
      if (part.row === null && absent.delete(name)) names.delete(name)
    },
  })
  for (const { span, last } of wanted) {
    const to = Math.min(last + 1, ends.get(span.name) ?? span.end)
    for await (const records of ports.log.read(span.source, span.end, to, signal))
      for (const record of records) plain.record(plain.reading(span), record)
  }
}
