import { rowScope } from '../../../shared/engine/index.ts'

/**
 * Some of a view's rows, chosen by a hash of their ids: the 2^bits slices of one level hold every row once. A slice that turns
 * out too large for memory is halved, and its other half is folded in a pass of its own.
 */
export class Slice {
  static readonly whole = new Slice(0, 0)
  readonly bits: number
  readonly index: number

  private constructor(bits: number, index: number) {
    this.bits = bits
    this.index = index
  }

  holds(id: string): boolean {
    // By the name of its scope, so that a row and what is set aside of it are in one slice.
    return this.bits === 0 || (hash(rowScope(id)) & ((1 << this.bits) - 1)) === this.index
  }

  /** The first slice of a level looks after what belongs to no row. */
  get first(): boolean {
    return this.index === 0
  }

  /** More halves than this would not help: what fills the memory then are not many rows but few very large ones. */
  get divisible(): boolean {
    return this.bits < 20
  }

  halves(): readonly [Slice, Slice] {
    return [new Slice(this.bits + 1, this.index), new Slice(this.bits + 1, this.index + (1 << this.bits))]
  }
}

/** FNV-1a, mixed once more, since its low bits alone are uneven. */
function hash(id: string): number {
  let state = 0x811c9dc5
  for (let at = 0; at < id.length; at++) state = Math.imul(state ^ id.charCodeAt(at), 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x7feb352d)
  return (state ^ (state >>> 15)) >>> 0
}
