/**
 * Dates, sets and maps that are part of a row. A row outlives the handler that sees it: were one of these changed by a handler
 * that then fails, the half of that event would be written at the position before it, and counted again when the event comes again.
 * So what changes them throws. To everybody who only looks they are plain ones, `constructor` included.
 */
const REFUSAL = 'this is part of a row, which may not be changed: return a new value instead'

function refuse(): never {
  throw new TypeError(REFUSAL)
}

export class FrozenDate extends Date {
  static {
    for (const name of Object.getOwnPropertyNames(Date.prototype))
      if (name.startsWith('set')) Object.defineProperty(FrozenDate.prototype, name, { value: refuse })
    Object.defineProperty(FrozenDate.prototype, 'constructor', { value: Date })
  }
}

export class FrozenSet<T> extends Set<T> {
  static {
    Object.defineProperty(FrozenSet.prototype, 'constructor', { value: Set })
  }

  constructor(elements: Iterable<T>) {
    super()
    for (const element of elements) super.add(element)
  }

  override add(): never {
    return refuse()
  }

  override delete(): never {
    return refuse()
  }

  override clear(): never {
    return refuse()
  }
}

export class FrozenMap<K, V> extends Map<K, V> {
  static {
    Object.defineProperty(FrozenMap.prototype, 'constructor', { value: Map })
  }

  constructor(entries: Iterable<readonly [K, V]>) {
    super()
    for (const [key, value] of entries) super.set(key, value)
  }

  override set(): never {
    return refuse()
  }

  override delete(): never {
    return refuse()
  }

  override clear(): never {
    return refuse()
  }
}
