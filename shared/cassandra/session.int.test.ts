import { createServer } from 'node:net'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everyType, shelves, single } from '../engine/contracts/views.ts'
import type { RowWrite } from '../engine/ports.ts'
import { checkBookkeeping, createBookkeeping } from './bookkeeping.ts'
import { connect } from './client.ts'
import { NoClock } from './policies.ts'
import { checkTables, createTables } from './schema.ts'
import { contactPoints, type TestKeyspace, testKeyspace } from './test-keyspace.ts'
import { CassandraView } from './view-store.ts'
import { viewTable } from './view-table.ts'

const requests: string[] = []
let keyspace: TestKeyspace
beforeAll(async () => {
  keyspace = await testKeyspace({
    onRequest: (seconds, kind) => requests.push(`${kind} ${seconds >= 0 && seconds < 60}`),
  })
})
afterAll(() => keyspace[Symbol.asyncDispose]())

const write = (id: string, title = 't'): RowWrite => ({
  id,
  key: { id },
  row: { id, title, note: null, tags: null },
  cleared: [],
  position: 1,
  source: 'contract/0',
})

describe('schema', () => {
  test('creating is safe to repeat, and what was created fits', async () => {
    const { session } = keyspace
    for (const _ of [1, 2]) {
      await createTables(session, [viewTable(shelves), viewTable(everyType)])
      await createBookkeeping(session)
    }
    await checkBookkeeping(session)
  })

  test('a table that is missing is said', async () => {
    await expect(checkTables(keyspace.session, [viewTable({ ...single, version: 77 })])).rejects.toMatchObject({
      code: 'TABLE_MISSING',
    })
  })

  test('a table that is another lists every difference', async () => {
    const { session } = keyspace
    const declared = viewTable({ ...shelves, version: 2 })
    const { view } = shelves
    await createTables(session, [
      viewTable({
        ...shelves,
        version: 2,
        view: {
          ...view,
          columns: { ...view.columns, count: 'int', extra: 'text' },
          clusteringKey: { place: 'asc', part: 'asc' },
        },
      }),
    ])
    const error = await checkTables(session, [declared]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'TABLE_MISMATCH' })
    for (const fault of [
      'column place is int, clustering key 1 asc: declared as int, clustering key 1 desc',
      'column count is int: declared as bigint',
    ]) {
      expect(String(error)).toContain(fault)
    }
    await expect(createTables(session, [declared])).rejects.toMatchObject({ code: 'TABLE_MISMATCH' })
  })
})

test('a row that was read can be changed no more than one that was folded', async () => {
  const { session } = keyspace
  await createTables(session, [viewTable(single)])
  const view = new CassandraView(session, single)
  const { row, ...rest } = write('read')
  await view.write([{ ...rest, row: { ...row, tags: new Set(['a']) } }])
  const found = (await view.read([{ id: 'read', key: { id: 'read' } }], 'contract/0')).get('read')?.row
  expect(found).toStrictEqual({ ...row, tags: new Set(['a']) })
  expect(Object.isFrozen(found)).toBe(true)
  const tags = found?.tags as Set<string>
  expect(() => tags.add('b')).toThrow(TypeError)
})

describe('writing', () => {
  test('a row above the limit is refused before anything is sent', async () => {
    const { session } = keyspace
    await createTables(session, [viewTable(single)])
    const view = new CassandraView(session, single, { maxRowBytes: 1000 })
    const refusals = await view.write([write('large', 'x'.repeat(1000)), write('small')])
    expect(refusals).toMatchObject([{ id: 'large', cause: { code: 'ROW_TOO_LARGE' } }])
    expect(String(refusals[0]?.cause)).toContain('contract/0/1')
    expect([...(await view.read([write('large'), write('small')], 'contract/0')).keys()]).toEqual(['small'])
  })

  test('a row that the server finds too large is refused, one that it would not answer is not sent', async () => {
    const view = new CassandraView(keyspace.session, single, { maxRowBytes: Number.POSITIVE_INFINITY })
    const large = (mebibytes: number) => 'x'.repeat(mebibytes * 1024 * 1024)
    const refusals = await view.write([
      write('huge', large(20)),
      write('above max_mutation_size', large(14.9)),
      write('beside it'),
    ])
    expect(refusals.map(({ id, cause }) => [id, cause])).toMatchObject([
      ['huge', { code: 'ROW_TOO_LARGE' }],
      ['above max_mutation_size', { code: 'WRITE_REFUSED' }],
    ])
    expect([...(await view.read([write('beside it')], 'contract/0')).keys()]).toEqual(['beside it'])
  })

  test('each request is measured', async () => {
    await createTables(keyspace.session, [viewTable(single)])
    const view = new CassandraView(keyspace.session, single)
    // The first looks at the table, too.
    await view.write([write('measured')])
    requests.length = 0
    await view.write([write('measured')])
    await view.read([write('measured')], 'contract/0')
    expect(requests).toEqual(['write true', 'read true'])
  })
})

describe('connecting', () => {
  const settings = { contactPoints: contactPoints(), localDataCenter: 'dc1', keyspace: 'any' }

  test('nothing is ever stamped by the clock', async () => {
    const client = new Client({
      contactPoints: [...contactPoints()],
      localDataCenter: 'dc1',
      policies: { timestampGeneration: new NoClock() },
    })
    await client.connect()
    await expect(client.execute('SELECT release_version FROM system.local')).rejects.toThrow('stamped by the clock')
    await client.shutdown()
  })

  test('another data centre is a fault of the settings', async () => {
    await expect(connect({ ...settings, localDataCenter: 'atlantis' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })

  test('a keyspace that is no name is a fault of the settings', async () => {
    await expect(connect({ ...settings, keyspace: 'Shop; DROP' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('while no node answers it tries again, and gives up when patience ends', async () => {
    const port = await freePort()
    const retries: string[] = []
    const failing = connect(
      { ...settings, contactPoints: [`127.0.0.1:${port}`] },
      { patience: 600, onRetry: (error) => retries.push(error.code) },
    )
    await expect(failing).rejects.toMatchObject({ code: 'CASSANDRA_UNAVAILABLE' })
    expect(retries).toEqual(['CASSANDRA_UNAVAILABLE'])
  })

  test('trying ends when it is no longer wanted', async () => {
    const port = await freePort()
    const stop = new AbortController()
    const failing = connect(
      { ...settings, contactPoints: [`127.0.0.1:${port}`] },
      { patience: Number.POSITIVE_INFINITY, signal: stop.signal, onRetry: () => stop.abort() },
    )
    await expect(failing).rejects.toThrow('aborted')
  })
})

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address ? address.port : 1
}
