import type { OutgoingRecord } from '../../shared/events/encode.ts'
import { type Position, positionText } from '../../shared/events/position.ts'
import { contentOf } from './content.ts'

/**
 * What was given to Kafka, against what is read from it. Judge and workers read through one decoder, so what that drops or garbles would
 * be missing in the view and in the fold alike; here it is compared with what nobody has decoded.
 */
export class Published {
  /** Acknowledged and not met yet, met and not acknowledged yet: by position. */
  readonly #acknowledged = new Map<string, string>()
  readonly #met = new Map<string, string>()
  /** What was given and never answered may be in the log, once or several times. */
  readonly #unclear = new Set<string>()
  readonly #differences: string[] = []

  acknowledged(positions: readonly Position[], records: readonly OutgoingRecord[]): void {
    if (positions.length !== records.length)
      this.#differences.push(`${records.length} records were acknowledged with ${positions.length} positions`)
    for (const [index, position] of positions.entries()) {
      const record = records[index]
      if (record) this.#settle(positionText(position), textOf(record), this.#acknowledged, this.#met)
    }
  }

  unclear(records: readonly OutgoingRecord[]): void {
    for (const record of records) this.#unclear.add(textOf(record))
  }

  /** `position` as `topic/partition/offset`. */
  met(position: string, content: string): void {
    this.#settle(position, content, this.#met, this.#acknowledged)
  }

  /** To be asked when all of the log was read and nothing is being published. Each difference is told once. */
  differences(): readonly string[] {
    const found = this.#differences.splice(0)
    for (const [position, content] of this.#acknowledged)
      found.push(`${position} was acknowledged and is not in the log as read: ${content}`)
    for (const [position, content] of this.#met)
      if (!this.#unclear.has(content))
        found.push(`${position} is read from the log, and nobody published it: ${content}`)
    this.#acknowledged.clear()
    this.#met.clear()
    return found
  }

  #settle(position: string, content: string, own: Map<string, string>, other: Map<string, string>): void {
    const before = other.get(position)
    if (before === undefined) own.set(position, content)
    else if (before !== content)
      this.#differences.push(`${position} was published and is read as two different things: ${before}, ${content}`)
    if (before !== undefined) other.delete(position)
  }
}

function textOf({ key, value, headers }: OutgoingRecord): string {
  return contentOf(key, value, headers)
}
