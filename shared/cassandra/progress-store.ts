import type { types } from 'cassandra-driver'
import type { Progress, ProgressStore } from '../engine/ports.ts'
import { slot, stamp } from '../engine/stamp.ts'
import type { Source } from '../events/position.ts'
import { bookkeeping, sourceParams, type Version, versionParams, WHERE_SOURCE, WHERE_VERSION } from './bookkeeping.ts'
import { encodeText, encodeWhole, encodeWholes } from './cells.ts'
import { one, pages, type Session } from './session.ts'

/**
 * What one version has folded. An older record loses by its stamp. Two records of one position can differ in their gaps
 * only (a gap is noticed before anything behind it is folded); of lists that grow, the longer one has the larger bytes,
 * which is what Cassandra decides a tie by.
 */
export class CassandraProgress implements ProgressStore {
  readonly #session: Session
  readonly #version: Version
  readonly #table: string

  constructor(session: Session, version: Version) {
    this.#session = session.of(version)
    this.#version = version
    this.#table = session.table(bookkeeping.progress.name)
  }

  async load(source: Source): Promise<Progress | undefined> {
    const query = `SELECT position, fingerprint, gaps FROM ${this.#table} WHERE ${WHERE_SOURCE}`
    const row = await one(this.#session, query, sourceParams(this.#version, source), `reading ${this.#table}`)
    return row && progress(row)
  }

  async save(source: Source, { position, fingerprint, gaps }: Progress): Promise<void> {
    const query = `INSERT INTO ${this.#table} (projection, version, topic, partition, position, fingerprint, gaps) VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
    const print = fingerprint === undefined ? null : encodeText(fingerprint)
    const params = [
      ...sourceParams(this.#version, source),
      encodeWhole(position),
      print,
      encodeWholes(gaps.flat()),
      encodeWhole(stamp(position, slot.write)),
    ]
    await this.#session.write([{ query, params }], `writing to ${this.#table}`)
  }

  async list(): Promise<readonly { readonly source: Source; readonly progress: Progress }[]> {
    const query = `SELECT topic, partition, position, fingerprint, gaps FROM ${this.#table} WHERE ${WHERE_VERSION}`
    const all: { source: Source; progress: Progress }[] = []
    for await (const rows of pages(
      this.#session,
      query,
      versionParams(this.#version),
      `reading ${this.#table}`,
      1000,
    )) {
      for (const row of rows)
        all.push({ source: { topic: row.topic, partition: row.partition }, progress: progress(row) })
    }
    return all
  }
}

function progress(row: types.Row): Progress {
  const flat: readonly bigint[] = row.gaps ?? []
  const gaps = flat.flatMap((from, index) =>
    index % 2 === 0 ? [[Number(from), Number(flat[index + 1])] as const] : [],
  )
  return { position: Number(row.position), fingerprint: row.fingerprint ?? undefined, gaps }
}
