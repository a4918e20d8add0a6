import type { Request, RequestOutcome } from '../engine/ports.ts'
import { slot, stamp } from '../engine/stamp.ts'
import type { Source } from '../events/position.ts'
import { bookkeeping, sourceParams, type Version, WHERE_SOURCE } from './bookkeeping.ts'
import { encodeText, encodeWhole } from './cells.ts'
import { one, pages, type Session } from './session.ts'

const SEVEN_DAYS = 7 * 86_400

/**
 * The mailbox of each partition's owner. A request is written once and answered once, each at a fixed stamp: asking again
 * changes nothing, and asking after the answer does not take it back. The outcome is one cell, so that of two answers (a
 * zombie's and the owner's) one is kept whole. Everything is gone after seven days.
 */
export class Requests {
  readonly #session: Session
  readonly #version: Version
  readonly #table: string

  constructor(session: Session, version: Version) {
    this.#session = session
    this.#version = version
    this.#table = session.table(bookkeeping.requests.name)
  }

  async ask({ id, action, source, scope, offset }: Request): Promise<void> {
    const query = `INSERT INTO ${this.#table} (projection, version, topic, partition, id, action, scope, offset) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ${SEVEN_DAYS}`
    const params = [
      ...sourceParams(this.#version, source),
      ...[id, action, scope].map(encodeText),
      encodeWhole(offset),
      encodeWhole(stamp(0, slot.write)),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#table}`)
  }

  async open(source: Source): Promise<readonly Request[]> {
    const query = `SELECT id, action, scope, offset, outcome FROM ${this.#table} WHERE ${WHERE_SOURCE}`
    const requests: Request[] = []
    for await (const rows of pages(
      this.#session,
      query,
      sourceParams(this.#version, source),
      `reading ${this.#table}`,
      1000,
    )) {
      for (const { id, action, scope, offset, outcome } of rows) {
        if (outcome === null && action !== null) requests.push({ id, action, source, scope, offset: Number(offset) })
      }
    }
    return requests
  }

  async answer({ source, id }: Request, { done, message }: RequestOutcome): Promise<void> {
    const query = `UPDATE ${this.#table} USING TIMESTAMP ? AND TTL ${SEVEN_DAYS} SET outcome = ? WHERE ${WHERE_SOURCE} AND id = ?`
    const params = [
      encodeWhole(stamp(0, slot.release)),
      encodeText(JSON.stringify({ done, message })),
      ...sourceParams(this.#version, source),
      encodeText(id),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#table}`)
  }

  async outcome(source: Source, id: string): Promise<RequestOutcome | undefined> {
    const query = `SELECT outcome FROM ${this.#table} WHERE ${WHERE_SOURCE} AND id = ?`
    const row = await one(
      this.#session,
      query,
      [...sourceParams(this.#version, source), encodeText(id)],
      `reading ${this.#table}`,
    )
    return row?.outcome ? JSON.parse(row.outcome) : undefined
  }
}
