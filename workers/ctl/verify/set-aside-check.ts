import { type DeadLetterStore, fingerprint, KEYLESS, type Scope } from '../../../shared/engine/index.ts'
import { positionText, sourceText } from '../../../shared/events/position.ts'
import type { Differences } from './difference.ts'
import type { Letter, LetterBook } from './letter-book.ts'
import type { PlainFold, Waiting } from './plain-fold.ts'
import type { Span } from './span.ts'

/** Compares what is recorded as waiting behind dead letters with what should wait there. Returns how many events do. */
export async function compareParked(
  fold: PlainFold,
  store: Pick<DeadLetterStore, 'events'>,
  differences: Differences,
): Promise<number> {
  for (const { scope, at, message } of fold.faults.values()) differences.add('dead-letter', `${at} (${scope})`, message)
  let parked = 0
  for (const { span, waiting: scopes } of fold.readings.values()) {
    for (const [scope, waiting] of scopes) {
      if (!waiting.recorded || (scope.startsWith('key:') && !fold.slice.first)) continue
      parked += waiting.offsets.filter((offset) => offset !== waiting.since).length
      await compareScope(span, scope, waiting, store, differences)
    }
  }
  return parked
}

async function compareScope(
  span: Span,
  scope: Scope,
  waiting: Waiting,
  store: Pick<DeadLetterStore, 'events'>,
  differences: Differences,
): Promise<void> {
  const { since, offsets, fingerprints } = waiting
  const subject = `${positionText({ ...span.source, offset: since })} (${scope})`
  const position = (offset: number) => positionText({ ...span.source, offset })
  let next = 0
  for await (const piece of store.events(span.source, scope, since)) {
    for (const record of piece) {
      if (record.offset < span.start || record.offset >= span.end) continue
      const lost = offsets.slice(next).findIndex((offset) => offset >= record.offset)
      const skipped = lost < 0 ? offsets.length - next : lost
      for (const offset of offsets.slice(next, next + skipped))
        differences.add('parked', subject, `${position(offset)} should wait here and does not`)
      next += skipped
      if (offsets[next] !== record.offset)
        differences.add('parked', subject, `${position(record.offset)} waits here and should not`)
      else if (fingerprints[next++] !== fingerprint(record))
        differences.add('parked', subject, `${position(record.offset)} waits with other bytes than the log has`)
    }
  }
  for (const offset of offsets.slice(next))
    differences.add('parked', subject, `${position(offset)} should wait here and does not`)
}

/** Compares the dead letters with what the fold has met: to be called when every slice was folded. Returns how many are unresolved. */
export async function compareLetters(
  book: LetterBook,
  spans: readonly Span[],
  store: Pick<DeadLetterStore, 'load'>,
  differences: Differences,
): Promise<number> {
  const subject = ({ source, offset, scope }: Letter) => `${positionText({ ...source, offset })} (${scope})`
  const byName = new Map(spans.map((span) => [span.name, span]))
  const within = ({ source, offset }: Letter) => {
    const span = byName.get(sourceText(source))
    return span !== undefined && offset >= span.start && offset < span.end
  }
  for (const letter of book.unmet(within)) {
    differences.add(
      'dead-letter',
      subject(letter),
      'is recorded, but the log has no such event there that is not behind another dead letter',
    )
  }
  for (const letter of book.altered)
    if (within(letter)) differences.add('dead-letter', subject(letter), 'keeps other bytes than the log has')

  const unresolved = [...book.all].filter(({ state }) => state === 'parked')
  for (const { source, name, end } of spans) {
    const { parked } = await store.load(source)
    const due = new Set(unresolved.filter((letter) => sourceText(letter.source) === name).map(({ scope }) => scope))
    for (const [scope, offset] of parked) {
      if (scope !== KEYLESS && offset < end && !due.has(scope))
        differences.add('parked', `${name}/${offset} (${scope})`, 'waits, but there is no unresolved dead letter')
    }
  }
  return unresolved.filter(within).length
}
