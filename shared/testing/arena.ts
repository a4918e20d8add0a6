import { z } from 'zod'
import type { Clock, DeadLetter, EventSource, Observer } from '../engine/index.ts'
import { defaultSettings, type EngineSettings, type Projector, projector, systemClock } from '../engine/index.ts'
import { memoryLog } from '../engine/memory/log.ts'
import type { MemoryMember } from '../engine/memory/member.ts'
import { memoryStores } from '../engine/memory/store.ts'
import { encodeBinary, encodeStructured } from '../events/encode.ts'
import { type Source, sourceText } from '../events/position.ts'
import { defineTopic } from '../events/topic.ts'
import { defineProjection, versionName } from '../projection/projection.ts'
import { table } from '../projection/table.ts'

/** A topic of operations on counters: enough to set, clear, delete, re-create and poison rows. */
export const operations = defineTopic({
  name: 'operations',
  partitions: 3,
  events: {
    Added: z.object({ id: z.string(), by: z.int() }),
    Noted: z.object({ id: z.string(), note: z.string() }),
    NoteCleared: z.object({ id: z.string() }),
    Removed: z.object({ id: z.string() }),
    Copied: z.object({ id: z.string(), to: z.string() }),
  },
})

/** What the handlers of the test projection may not like: lets a test break and repair them. */
export interface Dislikes {
  note: string | undefined
}

/** Rows whose every value tells which events made it: `log` grows by each, so that a lost, doubled or reordered one shows. */
export function counters(dislikes: Dislikes = { note: 'poison' }) {
  const grown = (log: string, what: string) => `${log.slice(-80)}|${what}`
  return defineProjection({
    name: 'counters',
    version: 1,
    topic: operations,
    view: table('counters', {
      columns: { id: 'text', sum: 'bigint', log: 'text', note: 'text?' },
      partitionKey: ['id'],
    }),
    key: (event) =>
      event.type === 'Copied'
        ? [{ id: event.data.id }, { id: `${event.data.id}>${event.data.to}` }]
        : { id: event.data.id },
    initial: ({ id }) => ({ id, sum: 0n, log: '' }),
    on: {
      Added: (row, { data, id }) => ({ ...row, sum: row.sum + BigInt(data.by), log: grown(row.log, id) }),
      Noted: (row, { data, id }) => {
        if (data.note === dislikes.note) throw new Error(`I do not like ${data.note}`)
        return { ...row, note: data.note, log: grown(row.log, id) }
      },
      NoteCleared: ({ note, ...row }, { id }) => ({ ...row, log: grown(row.log, id) }),
      Removed: () => null,
      Copied: (row, { id }) => ({ ...row, sum: row.sum + 1n, log: grown(row.log, id) }),
    },
  })
}

/** Time that passes as fast as the machine can: waiting is one turn of the event loop. */
export function swiftClock(): Clock {
  let time = 0
  return {
    now: () => time++,
    async sleep(milliseconds) {
      time += milliseconds
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

export interface Worker {
  readonly member: MemoryMember
  readonly projector: Projector
  /** Settles as `run` does; its error, if it had one. */
  readonly ended: Promise<Error | undefined>
}

/** Kafka, Cassandra and time in memory, workers of one projection on top of them, and a record of what they did. */
export function arena({
  seed = 1,
  dislikes = { note: 'poison' } as Dislikes,
  settings = {} as Partial<EngineSettings>,
  partitions = 3,
  batch = 5,
  clock = undefined as (() => Clock) | undefined,
  drainDeadline = 20,
  beforeCommit = undefined as ((source: Source, next: number) => Promise<void>) | undefined,
} = {}) {
  const projection = counters(dislikes)
  const kafka = memoryLog({ now: () => 1_750_000_000_000 })
  kafka.createTopic(operations.name, partitions)
  const stores = memoryStores(projection, { seed })
  const letters: DeadLetter[] = []
  const held: Error[] = []
  const gaps: (readonly [number, number])[] = []
  /** Commits, each with how much the journal of durable writes held when it was sent. */
  const commits: { readonly source: string; readonly next: number; readonly journal: number }[] = []
  /** The highest offset ever committed, by source: a new generation may start from less and commit that again. */
  const committed = new Map<string, number>()
  const workers: Worker[] = []
  /** The offset last folded by anybody, by source. */
  const folded = new Map<string, number>()
  let published = 0

  const observer: Observer = {
    tracing: false,
    assigned: () => {},
    folded: (source, { position }) => folded.set(sourceText(source), position),
    flushed: () => {},
    dead: (letter) => letters.push(letter),
    parked: () => {},
    held: (_, error) => {
      if (error) held.push(error)
    },
    gap: (_, from, to) => gaps.push([from, to]),
    draining: () => {},
  }

  function start({ held: told }: { readonly held?: (error: Error | undefined) => void } = {}): Worker {
    const time = clock?.() ?? swiftClock()
    const member = kafka.source(versionName(projection), [operations.name], {
      batch,
      drainDeadline,
      clock: clock ? time : systemClock,
    })
    const source: EventSource = {
      run: (listener) => member.run(listener),
      rewind: (of, offset) => member.rewind(of, offset),
      stop: () => member.stop(),
      async commit(of: Source, next: number) {
        commits.push({ source: sourceText(of), next, journal: stores.journal.length })
        const { generation } = member
        await beforeCommit?.(of, next)
        if (generation !== member.generation) return
        await member.commit(of, next)
        committed.set(sourceText(of), Math.max(next, committed.get(sourceText(of)) ?? 0))
      },
    }
    const made = projector(
      projection,
      {
        source,
        log: kafka.log,
        view: stores.view,
        progress: stores.progress,
        deadLetters: stores.deadLetters,
        versions: stores.versions,
        observer: told ? { ...observer, held: (_, error) => told(error) } : observer,
        clock: time,
      },
      {
        ...defaultSettings,
        flushRows: 7,
        backoffMs: { first: 1, last: 4 },
        requestPollMs: 20,
        progressIntervalMs: 0,
        ...settings,
      },
    )
    const ended = made.run().then(
      () => undefined,
      (error: Error) => error,
    )
    const worker = { member, projector: made, ended }
    workers.push(worker)
    return worker
  }

  type Types = (typeof operations)['events']
  /** Publishes one event; structured and binary mode take turns. */
  function publish<Type extends keyof Types & string>(type: Type, data: { id: string } & Record<string, unknown>) {
    const id = `e${published++}`
    const event = {
      specversion: '1.0',
      id,
      source: 'test',
      type,
      subject: data.id,
      time: '2026-01-01T00:00:00Z',
      data,
    } as const
    return kafka.publish(operations.name, [published % 2 ? encodeBinary(event) : encodeStructured(event)])
  }

  /** Everything there is has been committed. */
  async function caughtUp(): Promise<void> {
    for (let done = false; !done; ) {
      await new Promise((resolve) => setImmediate(resolve))
      const committed = await kafka.log.committed(versionName(projection), operations.name)
      done = [...(await kafka.log.bounds(operations.name))].every(
        ([partition, { start, end }]) => end === start || committed.get(partition) === end,
      )
    }
  }

  /** Everything published is in the view: the workers have stopped in good order, after a last one has caught up. */
  async function finish(): Promise<void> {
    const last = start()
    const fault = last.ended.then((error) => {
      if (error) throw error
    })
    await Promise.race([caughtUp(), fault])
    for (const worker of workers) await worker.projector.stop('the test is over')
    await fault
  }

  return {
    projection,
    kafka,
    stores,
    letters,
    held,
    gaps,
    commits,
    committed,
    folded,
    workers,
    start,
    publish,
    caughtUp,
    finish,
  }
}
