/** A change of one place in the engine. */
export interface Edit {
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replace: string
}

/** A small change that must not go unnoticed. */
export interface Mutation extends Edit {
  /** What the engine no longer does. */
  readonly name: string
  /** Where two places guard against the same, the other one. */
  readonly also?: Edit
}

/** Each takes away one thing that keeps views right (DESIGN §2, §3 and §8). */
export const mutations: readonly Mutation[] = [
  {
    name: 'the position check: what is delivered twice is folded twice',
    file: 'folder.ts',
    find: "if (entry.position >= offset && entry.foreign === undefined) return 'duplicate'",
    replace: '',
  },
  {
    name: 'stamps by position: all writes carry the same',
    file: 'stamp.ts',
    find: 'return BASE + offset * 16 + of',
    replace: 'return BASE + of',
  },
  {
    name: 'slots: what an event removes and what it writes are stamped alike',
    file: 'stamp.ts',
    find: '  delete: 0,',
    replace: '  delete: 2,',
  },
  {
    name: 'commit after write',
    file: 'flusher.ts',
    find: 'const startedAt = ports.clock.now()',
    replace: 'const startedAt = ports.clock.now()\n    this.#commitSoon(mark, false)',
  },
  {
    name: 'the drain',
    file: 'projector.ts',
    find: 'await Promise.all([...owned.values()].map((partition) => partition.drain()))',
    replace: '',
  },
  {
    name: 'one flush at a time',
    file: 'flush-loop.ts',
    find: 'while (this.#flushing) await this.#flushing\n',
    replace: '',
  },
  {
    name: 'columns that were cleared are written as null',
    file: 'working-set.ts',
    find: '.filter(({ name, bit }) => row[name] === null && (bit === 0 || (set & bit) !== 0))',
    replace: '.filter(() => false)',
  },
  {
    name: 'which columns were set since the row was read',
    file: 'working-set.ts',
    find: 'if (this.#optional.length > 0) entry.set |= this.#bits(row)',
    replace: 'entry.set = this.#bits(row)',
  },
  {
    name: 'changed rows stay in memory',
    file: 'working-set.ts',
    find: 'if (entry.dirty || this.#inFlight.has(entry)) this.#keep(entry)',
    replace: 'if (this.#inFlight.has(entry)) this.#keep(entry)',
  },
  {
    name: 'rows in a flush stay in memory',
    file: 'working-set.ts',
    find: 'if (entry.dirty || this.#inFlight.has(entry)) this.#keep(entry)',
    replace: 'if (entry.dirty) this.#keep(entry)',
  },
  {
    name: 'rows that were dropped are read again',
    file: 'working-set.ts',
    find: '        this.#dropped.add(entry.id)\n',
    replace: '',
  },
  {
    name: 'rows are read where the log was not folded from its start',
    file: 'projector.ts',
    find: 'const complete = start === 0 && logStart === 0',
    replace: 'const complete = true',
  },
  {
    name: 'events behind a dead letter are kept',
    file: 'set-aside.ts',
    find: 'this.#events.push({ scope, since, record: copied(record) })',
    replace: '',
  },
  {
    name: 'events behind a dead letter wait',
    file: 'folder.ts',
    find: 'if (!setAside.idle && setAside.waits(rowScope(id), offset)) {',
    replace: 'if (setAside.size < 0) {',
  },
  {
    name: 'what is set aside is loaded by the next owner',
    file: 'set-aside.ts',
    find: 'this.#since = new Map(state.parked)',
    replace: 'this.#since = new Map()',
  },
  {
    name: 'what waited is durable before the scope is released',
    file: 'requests.ts',
    find: '  await flush()\n  forgetRows(scope, parts)\n  // Everything',
    replace: '  forgetRows(scope, parts)\n  // Everything',
  },
  {
    name: 'a skipped event stays skipped',
    file: 'folder.ts',
    find: "if (!setAside.idle && setAside.skipped(rowScope(id), offset)) return 'ignored'",
    replace: '',
  },
  {
    name: 'state is given up when another worker had the partition',
    file: 'projector.ts',
    find: 'assignments.filter(({ kept }) => kept)',
    replace: 'assignments',
    also: {
      file: 'partition.ts',
      find: 'return !this.#abort.signal.aborted && start <= this.#flushes.next && this.#setAside.agrees(parked)',
      replace: 'return true',
    },
  },
  {
    name: 'dead letters are recorded before the commit',
    file: 'flusher.ts',
    find: 'await this.#persist(() => ports.deadLetters.record(source, letters, events))',
    replace: 'void this.#persist(() => ports.deadLetters.record(source, letters, events)).catch(() => {})',
  },
  {
    name: 'a refused row is folded again',
    file: 'flusher.ts',
    find: 'if (refusals.length > 0) return refusals\n',
    replace: '',
  },
  {
    name: 'only what was folded here is decided about',
    file: 'requests.ts',
    find: 'if (request.offset < parts.next()) await',
    replace: 'await',
  },
]
