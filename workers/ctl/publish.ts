import type { Publisher } from '../../shared/engine/ports.ts'
import { TidemarkError } from '../../shared/errors.ts'
import { type OutgoingRecord, type Position, sourceText, type Topic } from '../../shared/events/index.ts'
import { type BadLine, lineCheck, type Mode } from './publish-check.ts'

export interface PublishOptions {
  /** Where everything goes, whatever its type; unset: the type decides, and data must fit its schema. */
  readonly topic?: string | undefined
  readonly mode: Mode
  /** Stop at the first bad line instead of passing over it. */
  readonly strict: boolean
  /** Told of every bad line, in order. */
  readonly refuse: (bad: BadLine) => void
}

/** The positions of one partition that were written, others' events between them left aside. */
export interface PublishedRange {
  readonly first: number
  readonly last: number
  readonly count: number
}

export interface PublishSummary {
  readonly published: number
  readonly refused: number
  /** By partition, as `carts/3`. */
  readonly ranges: ReadonlyMap<string, PublishedRange>
}

/** Records handed to Kafka at once: what is unknown after a failure, and what is held in memory. */
const BATCH = 1_000

/**
 * Publishes newline-delimited CloudEvents in their order. Pieces of lines are published as they come, and the next one is read
 * when the last is durable, so a slow broker slows the reading down. Every line is decided on by itself: good ones are published,
 * bad ones are told to `refuse`; lines of white space count and mean nothing.
 *
 * Rejects with the publisher's error, naming the lines whose fate is unknown: publishing these again may make some of them twice.
 */
export async function publish(
  pieces: AsyncIterable<readonly Buffer[]>,
  topics: readonly Topic[],
  publisher: Pick<Publisher, 'publish'>,
  { topic, mode, strict, refuse }: PublishOptions,
): Promise<PublishSummary> {
  const check = lineCheck(topics, { topic, mode })
  const ranges = new Map<string, PublishedRange>()
  let number = 0
  let published = 0
  let refused = 0

  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; from += BATCH) {
      const firstLine = number + 1
      const records = new Map<string, OutgoingRecord[]>()
      for (const line of piece.slice(from, from + BATCH)) {
        number++
        if (isBlank(line)) continue
        const decision = check(line, number)
        if ('record' in decision) {
          const ofTopic = records.get(decision.topic)
          if (ofTopic) ofTopic.push(decision.record)
          else records.set(decision.topic, [decision.record])
          continue
        }
        refused++
        refuse(decision)
        if (strict) break
      }
      await flush(records, firstLine)
      if (strict && refused > 0) return { published, refused, ranges }
    }
  }
  return { published, refused, ranges }

  async function flush(records: ReadonlyMap<string, readonly OutgoingRecord[]>, firstLine: number): Promise<void> {
    for (const [name, some] of records) {
      try {
        const positions = await publisher.publish(name, some)
        for (const position of positions) widen(position)
        published += positions.length
      } catch (cause) {
        const known = cause instanceof TidemarkError ? cause : undefined
        throw new TidemarkError(
          known?.code ?? 'KAFKA_UNAVAILABLE',
          `publishing lines ${firstLine} to ${number} to topic ${name} failed; some of them may be in the log. ${published} event(s) before are`,
          { cause, remedy: `${known?.remedy ?? 'Check the brokers.'} Then go on from line ${firstLine}.` },
        )
      }
    }
  }

  function widen(position: Position): void {
    const source = sourceText(position)
    const { offset } = position
    const { first, last, count } = ranges.get(source) ?? { first: offset, last: offset, count: 0 }
    ranges.set(source, { first: Math.min(first, offset), last: Math.max(last, offset), count: count + 1 })
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
