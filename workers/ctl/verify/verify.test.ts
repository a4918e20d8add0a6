import { expect, test } from 'vitest'
import type { StoredRow } from '../../../shared/engine/index.ts'
import { encodeStructured } from '../../../shared/events/encode.ts'
import type { AnyRow } from '../../../shared/projection/row.ts'
import { arena, operations } from '../../../shared/testing/arena.ts'
import type { World } from '../../../shared/testing/histories.ts'
import { type VerifyOptions, type VerifyPorts, verify } from './verify.ts'

function portsOf({ kafka, stores }: World): VerifyPorts {
  return {
    log: kafka.log,
    reader: stores.view,
    deadLetters: stores.deadLetters,
    progress: stores.progress,
    clock: { now: () => performance.now(), sleep: async () => {} },
  }
}

function verified(world: World, options: VerifyOptions = {}) {
  return verify(world.projection, portsOf(world), { catchUpMs: 0, ...options })
}

type Stored = StoredRow & { readonly key: AnyRow }

/** Some rows, one of them deleted, one with a note, one waiting behind a poison event. */
async function settledWorld(): Promise<World> {
  const world = arena()
  for (let i = 0; i < 30; i++) await world.publish('Added', { id: `r${i % 6}`, by: i })
  await world.publish('Noted', { id: 'r1', note: 'hello' })
  await world.publish('Removed', { id: 'r2' })
  await world.publish('Noted', { id: 'r3', note: 'poison' })
  await world.publish('Added', { id: 'r3', by: 1 })
  await world.publish('Added', { id: 'r3', by: 2 })
  await world.finish()
  return world
}

/** Verifies a table that is not quite what is stored. */
function verifiedAs(world: World, change: (row: Stored) => readonly Stored[], options: VerifyOptions = {}) {
  const ports = portsOf(world)
  const scan = async function* () {
    for await (const piece of ports.reader.scan()) yield piece.flatMap(change)
  }
  return verify(world.projection, { ...ports, reader: { scan } }, { catchUpMs: 0, ...options })
}

const only = (id: string, change: (row: Stored) => readonly Stored[]) => (row: Stored) =>
  row.key.id === id ? change(row) : [row]

async function kinds(result: ReturnType<typeof verify>) {
  const { differences, differenceCount, ok } = await result
  expect(differenceCount).toBe(differences.length)
  expect(ok).toBe(differences.length === 0)
  return differences.map(({ kind, subject }) => `${kind} ${subject}`)
}

test('a view that is the fold of its log is told to be so, with what was compared', async () => {
  const result = await verified(await settledWorld())
  expect(result).toMatchObject({
    projection: 'counters',
    version: 1,
    ok: true,
    lag: 0,
    events: 35,
    rows: 6,
    differenceCount: 0,
    deadLetters: 1,
    parked: 2,
    unprovable: 0,
  })
  expect(result.partitions.map(({ source, from, whole }) => [source, from, whole])).toEqual(
    [0, 1, 2].map((partition) => [`operations/${partition}`, 0, true]),
  )
})

test('every kind of corruption of a row is found and named', async () => {
  const world = await settledWorld()
  const as = (id: string, change: (row: Stored) => readonly Stored[]) => kinds(verifiedAs(world, only(id, change)))
  expect(await as('r0', () => [])).toEqual(["missing { id: 'r0' }"])
  expect(await as('r0', (row) => [row, { ...row, key: { id: 'ghost' } }])).toEqual(["unexpected { id: 'ghost' }"])
  expect(await as('r0', (row) => [{ ...row, row: { ...row.row, sum: 1n } }])).toEqual(["columns { id: 'r0' }"])
  expect(await as('r1', (row) => [{ ...row, row: { ...row.row, note: null } }])).toEqual(["columns { id: 'r1' }"])
  expect(await as('r0', (row) => [{ ...row, row: null }])).toEqual(["deleted { id: 'r0' }"])
  expect(await as('r2', (row) => [{ ...row, row: { id: 'r2', sum: 0n, log: '', note: null } }])).toEqual([
    "alive { id: 'r2' }",
  ])
  expect(await as('r2', (row) => [{ ...row, position: row.position - 1 }])).toEqual(["position { id: 'r2' }"])
  expect(await as('r0', (row) => [{ ...row, position: row.position - 1 }])).toEqual(["position { id: 'r0' }"])
  expect(await as('r0', (row) => [{ ...row, position: 1_000_000 }])).toEqual(["position { id: 'r0' }"])
  expect(
    await as('r0', (row) => [{ ...row, source: row.source === 'operations/0' ? 'operations/1' : 'operations/0' }]),
  ).toEqual(["source { id: 'r0' }"])
  expect(await as('r0', (row) => [{ ...row, source: 'carts/0' }])).toEqual(["source { id: 'r0' }"])
})

test('columns that differ are named with both values', async () => {
  const world = await settledWorld()
  const { differences } = await verifiedAs(
    world,
    only('r0', (row) => [{ ...row, row: { ...row.row, sum: 7n, note: 'x' } }]),
  )
  expect(differences[0]?.columns).toEqual([
    { name: 'sum', expected: '60n', stored: '7n' },
    { name: 'note', expected: 'null', stored: "'x'" },
  ])
})

test("a deleted row's marker may be there or have expired", async () => {
  const world = await settledWorld()
  world.stores.view.expireMarkers()
  expect(await kinds(verified(world))).toEqual([])
})

test('differences beyond the named ones are counted', async () => {
  const { differences, differenceCount } = await verifiedAs(await settledWorld(), () => [], { named: 2 })
  expect([differences.length, differenceCount]).toEqual([2, 5])
})

test('corrupted dead letters and parked events are found', async () => {
  const world = await settledWorld()
  const ports = portsOf(world)
  const [letter] = world.stores.deadLetters.letters
  if (!letter) throw new Error('there is no dead letter')
  const at = `operations/${letter.source.partition}/${letter.record.offset} (row:r3)`
  const { deadLetters: real } = ports
  const as = (change: Partial<VerifyPorts['deadLetters']>) => {
    const deadLetters: VerifyPorts['deadLetters'] = {
      list: (source) => real.list(source),
      load: (source) => real.load(source),
      events: (source, scope, from) => real.events(source, scope, from),
      requests: (source) => real.requests(source),
      ...change,
    }
    return kinds(verify(world.projection, { ...ports, deadLetters }, { catchUpMs: 0 }))
  }
  const events = (change: (offsets: readonly number[]) => readonly number[]): VerifyPorts['deadLetters']['events'] =>
    async function* (source, scope, from) {
      for await (const piece of real.events(source, scope, from)) {
        const kept = change(piece.map(({ offset }) => offset))
        yield kept.map((offset) => piece.find((record) => record.offset === offset) ?? { ...letter.record, offset })
      }
    }
  expect(await as({})).toEqual([])
  expect(await as({ list: async function* () {} })).toContain(`dead-letter ${at}`)
  expect(
    await as({
      list: async function* (source) {
        for await (const piece of real.list(source))
          yield piece.map((one) => ({ ...one, record: { ...one.record, value: null } }))
      },
    }),
  ).toEqual([`dead-letter ${at}`])
  expect(
    await as({
      list: async function* (source) {
        for await (const piece of real.list(source))
          yield piece.flatMap((one) => [one, { ...one, scope: 'row:r0' as const, state: 'applied' as const }])
      },
    }),
  ).toEqual([`dead-letter ${at.replace('r3', 'r0')}`])
  expect(await as({ events: events(([first, , third]) => [first ?? 0, third ?? 0]) })).toEqual([`parked ${at}`])
  expect(await as({ events: events((offsets) => offsets.slice(0, -1)) })).toEqual([`parked ${at}`])
  expect(await as({ events: events(() => []) })).toEqual(Array(3).fill(`parked ${at}`))
  expect(await as({ load: async () => ({ parked: new Map(), skipped: new Set(), resolved: new Set() }) })).toEqual([
    `dead-letter ${at}`,
    "position { id: 'r3' }",
  ])
})

test('a view whose workers have not caught up is not judged', async () => {
  const world = arena()
  for (let i = 0; i < 5; i++) await world.publish('Added', { id: 'a', by: 1 })
  expect(await verified(world)).toMatchObject({ ok: false, lag: 5, rows: 0, differenceCount: 0 })
})

test('rows that move on while the table is read are compared at their own positions', async () => {
  const world = await settledWorld()
  const ports = portsOf(world)
  const live = (change: (row: Stored) => Stored): VerifyPorts['reader'] => ({
    async *scan() {
      await world.publish('Added', { id: 'r0', by: 5 })
      await world.publish('Noted', { id: 'r0', note: 'later' })
      await world.publish('Added', { id: 'new', by: 5 })
      await world.publish('Removed', { id: 'r1' })
      await world.publish('Noted', { id: 'r4', note: 'poison' })
      await world.finish()
      world.stores.view.expireMarkers()
      for await (const piece of ports.reader.scan()) yield piece.map(change)
    },
  })
  expect(
    await kinds(
      verify(world.projection, { ...ports, reader: live((row) => row) }, { catchUpMs: 0, limits: { rows: 2 } }),
    ),
  ).toEqual([])
  const late = live((row) =>
    row.key.id === 'new'
      ? { ...row, row: { ...row.row, sum: 9n } }
      : row.key.id === 'r0'
        ? { ...row, position: row.position - 1 }
        : row,
  )
  expect((await kinds(verify(world.projection, { ...ports, reader: late }, { catchUpMs: 0 }))).sort()).toEqual([
    "columns { id: 'new' }",
    "columns { id: 'r0' }",
  ])
})

const added = (id: string, key: string) => {
  const { value, headers } = encodeStructured({
    specversion: '1.0',
    id,
    source: 'test',
    type: 'Added',
    subject: key,
    time: '2026-01-01T00:00:00Z',
    data: { id: 'a', by: 1 },
  })
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value), headers }
}
const partition = (number: number) => ({ topic: operations.name, partition: number })

test("a row of two partitions belongs to the first, if the other's events are dead letters", async () => {
  const world = arena()
  world.start()
  world.kafka.append(partition(0), [added('e1', 'a')])
  await world.kafka.settled()
  await new Promise((resolve) => setImmediate(resolve))
  world.kafka.append(partition(1), [added('e2', 'b'), added('e3', 'b')])
  await world.finish()
  expect(world.stores.deadLetters.letters.map(({ code }) => code)).toEqual(['ROW_TWO_SOURCES'])
  expect(await kinds(verified(world))).toEqual([])
})

test('a row that two partitions have written is found, and both are named', async () => {
  const world = arena()
  world.kafka.append(partition(0), [added('e1', 'a')])
  await world.finish()
  world.kafka.append(partition(1), [added('e2', 'b')])
  const ports = portsOf(world)
  const log = {
    ...ports.log,
    committed: async () =>
      new Map([
        [0, 1],
        [1, 1],
      ]),
  }
  const { differences } = await verify(world.projection, { ...ports, log }, { catchUpMs: 0 })
  expect(differences.map(({ kind }) => kind)).toEqual(['two-sources'])
  expect(differences[0]?.message).toMatch(/operations\/0 and from operations\/1/)
})

test('what retention has removed is not guessed: rows are proven where their events are left', async () => {
  const world = arena({ partitions: 1 })
  await world.publish('Added', { id: 'old', by: 1 })
  await world.publish('Added', { id: 'both', by: 1 })
  await world.publish('Added', { id: 'both', by: 2 })
  await world.publish('Added', { id: 'fresh', by: 1 })
  await world.finish()
  world.kafka.truncate(partition(0), 2)
  expect(await verified(world)).toMatchObject({ ok: true, unprovable: 2, rows: 1, events: 2 })
  const stale = only('both', (row) => [{ ...row, position: 1 }])
  expect(await kinds(verifiedAs(world, stale))).toEqual(["position { id: 'both' }"])
})

test('a view that began after retention had removed events is proven whole', async () => {
  const world = arena({ partitions: 1 })
  for (let i = 0; i < 4; i++) await world.publish('Added', { id: 'a', by: i })
  world.kafka.truncate(partition(0), 2)
  await world.finish()
  expect(await verified(world)).toMatchObject({ ok: true, unprovable: 0, rows: 1 })
  expect(await kinds(verifiedAs(world, () => []))).toEqual(["missing { id: 'a' }"])
})

test('a topic that was re-created is told apart from the one that was folded', async () => {
  const world = await settledWorld()
  world.kafka.recreateTopic(operations.name)
  const result = await verified(world)
  expect(result.ok).toBe(false)
  expect(result.differences.filter(({ kind }) => kind === 'log')).toHaveLength(3)
})
