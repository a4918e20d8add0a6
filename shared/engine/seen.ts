/** FNV-1a of a row's id: 32 bits. */
function hashed(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** Another 32 bits made of a hash. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (once ^ (once >>> 13)) >>> 0
}

const BITS = 1 << 24

/**
 * The rows that were dropped from memory, as a Bloom filter of 2 MiB: it may take a row for dropped that was not (one in a hundred
 * with a million of them, one in five with five millions), which costs a read, and never the other way round.
 */
export class Dropped {
  #bits: Uint32Array | undefined
  #all = false

  add(id: string): void {
    this.#bits ??= new Uint32Array(BITS / 32)
    const hash = hashed(id)
    for (const bit of [hash % BITS, mixed(hash) % BITS]) this.#bits[bit >>> 5]! |= 1 << (bit & 31)
  }

  /** From now on every row counts as dropped. */
  addAll(): void {
    this.#all = true
    this.#bits = undefined
  }

  has(id: string): boolean {
    if (this.#all) return true
    if (!this.#bits) return false
    const hash = hashed(id)
    return this.#bit(hash % BITS) && this.#bit(mixed(hash) % BITS)
  }

  #bit(bit: number): boolean {
    return (this.#bits![bit >>> 5]! & (1 << (bit & 31))) !== 0
  }
}

const SLOTS = 1 << 21

/**
 * Which partition of this process has met a row, in 4 MiB whatever the number of rows: they share slots, and the last one that came
 * has it. So it names a partition that is worth asking, and now and then forgets one that would have been.
 */
export class Feeds {
  #slots: Uint16Array | undefined
  readonly #names: string[] = ['']

  /** The partition named has met the row; gives the one that came before. */
  meet(id: string, name: string): string | undefined {
    this.#slots ??= new Uint16Array(SLOTS)
    const slot = hashed(id) % SLOTS
    const before = this.#names[this.#slots[slot]!]
    if (before === name) return undefined
    const known = this.#names.indexOf(name)
    this.#slots[slot] = known > 0 ? known : this.#names.push(name) - 1
    return before || undefined
  }
}
