import { expect } from 'vitest'
import type { Projection } from '../../projection/projection.ts'
import { type AnyRow, rowShape } from '../../projection/row.ts'
import type { RowWrite, ViewReader, ViewStore } from '../ports.ts'

/** A view store under test, and what the port does not show of it. */
export interface ViewHarness {
  readonly view: ViewStore
  readonly reader: ViewReader
  /** WRITETIME of a column (its name in TypeScript, or one of the `tm_` columns) of a stored part. */
  writeTime(key: AnyRow, column: string, source: string): Promise<number | undefined>
  /** Whether a column of a stored part was written with a TTL. */
  expires(key: AnyRow, column: string, source: string): Promise<boolean>
  /** Makes the row with this key, whose text has 70,000 letters, one that is refused for good. */
  refuse(key: AnyRow): void
}

export const SOURCE = 'contract/0'

/** A write of the source `SOURCE`, unless it names another. */
export type Given = Omit<RowWrite, 'id' | 'source'> & { readonly source?: string }

/** A view under test with its projection at hand. */
export class Scene {
  readonly projection: Projection
  readonly harness: ViewHarness
  readonly shape: ReturnType<typeof rowShape>
  #next = 0

  constructor(projection: Projection, harness: ViewHarness) {
    this.projection = projection
    this.harness = harness
    this.shape = rowShape(projection.view)
  }

  /** A number not given before: for positions, and for keys that no other run uses. */
  readonly next = () => (this.#next += 1)

  named(key: AnyRow) {
    return { id: this.shape.id(key), key }
  }

  given(write: Given): RowWrite {
    return { source: SOURCE, ...write, ...this.named(write.key) }
  }

  async write(...writes: readonly Given[]): Promise<void> {
    expect(await this.harness.view.write(writes.map((write) => this.given(write)))).toEqual([])
  }

  async read(key: AnyRow, source = SOURCE) {
    return (await this.harness.view.read([this.named(key)], source)).get(this.shape.id(key))
  }

  async list(partitionKey: AnyRow, limit: number) {
    const rows = []
    let page: string | undefined
    do {
      const listed = await this.harness.reader.list(partitionKey, limit, page)
      expect(listed.rows.length).toBeLessThanOrEqual(limit)
      rows.push(...listed.rows)
      page = listed.page
    } while (page !== undefined)
    return rows
  }

  expectSame(stored: Awaited<ReturnType<Scene['read']>>, row: AnyRow, position: number): void {
    expect(stored?.position).toBe(position)
    expect(stored?.row && this.shape.differences(stored.row, row)).toEqual([])
    expect(Object.keys(stored?.row ?? {})).toEqual(Object.keys(row))
  }
}
