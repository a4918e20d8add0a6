import type { Client } from 'cassandra-driver'
import { expect, test } from 'vitest'
import { Session, type SessionOptions } from './session.ts'

const connected = (execute: (query: string) => Promise<void>, options: SessionOptions) => {
  const client: Pick<Client, 'execute'> = { execute } as never
  return new Session(client as Client, { keyspace: 'k', localDataCenter: 'dc1' }, options)
}

test('what to write is asked when its turn comes, and nothing is never sent', async () => {
  const sent: string[] = []
  const answer = Promise.withResolvers<void>()
  const session = connected(
    async (query) => {
      sent.push(query)
      await answer.promise
    },
    { maxRequests: 1 },
  )
  let wanted = true
  const write = (query: string) => session.write(() => (wanted ? [{ query, params: [] }] : []), 'writing')
  const writes = [write('first'), write('second')]
  await Promise.resolve()
  wanted = false
  answer.resolve()
  await Promise.all(writes)
  expect(sent).toEqual(['first'])
})

test('requests are told with the version they are for, and all share one limiter', async () => {
  const told: string[] = []
  const gate = Promise.withResolvers<void>()
  let open = 0
  const session = connected(
    async () => {
      open++
      await gate.promise
      expect(open--).toBe(1)
    },
    { maxRequests: 1, onRequest: (_, kind, of) => told.push(`${kind} ${of?.name ?? 'nobody'} ${of?.version ?? ''}`) },
  )
  const writes = [
    session.of({ name: 'orders', version: 2 }).write([{ query: 'a', params: [] }], 'writing'),
    session.of({ name: 'stock', version: 1 }).write([{ query: 'b', params: [] }], 'writing'),
    session.write([{ query: 'c', params: [] }], 'writing'),
  ]
  gate.resolve()
  await Promise.all(writes)
  expect(told.map((line) => line.trim())).toEqual(['write orders 2', 'write stock 1', 'write nobody'])
})
