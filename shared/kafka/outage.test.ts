import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { RecordingListener } from '../engine/contracts/listener.ts'
import { KafkaLog, KafkaSource } from './index.ts'
import { Membership } from './membership.ts'
import { KeptLog, ScriptedConnection } from './stand-ins.ts'

/** A port nobody listens at. */
const nobody = { brokers: ['127.0.0.1:1'], clientId: 'outage' }

/** Resolves when something was tried in vain for the first time. */
function tried() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { promise, logger: new KeptLog((line) => line.includes('trying again') && resolve()) }
}

test('a stop while Kafka is away ends the run without an error', async () => {
  const { promise, logger } = tried()
  const source = new KafkaSource(nobody, 'group', ['t'], logger)
  const ended = source.run(new RecordingListener())
  await promise
  await source.stop()
  await expect(ended).resolves.toBeUndefined()
})

test('closing the log ends what waits for Kafka to come back', async () => {
  const { promise, logger } = tried()
  const log = new KafkaLog(nobody, logger)
  const bounds = expect(log.bounds('t')).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
  await promise
  await log.close()
  await bounds
  await expect(log.committed('group', 't')).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
})

test('closing the log ends what waits for an answer that never comes', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const log = new KafkaLog({ brokers: [`127.0.0.1:${port}`], clientId: 'outage' })
  const connected = once(server, 'connection')
  const read = log.read({ topic: 't', partition: 0 }, 0, 10).next()
  const ended = expect(read).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' })
  await connected
  const begun = performance.now()
  void log.close()
  await ended
  expect(performance.now() - begun).toBeLessThan(500)
})

test('a heartbeat without an answer is given up after a third of the session, with its socket', async () => {
  const connection = new ScriptedConnection([[0, 1]], undefined, 90)
  const socket = { destroyed: false, destroy: () => Object.assign(socket, { destroyed: true }) }
  Object.assign(connection.broker, { connectionPool: { pool: [{ socket }] } })
  const membership = new Membership(connection, 'group', ['t'])
  const begun = performance.now()
  const place = { generation: 1, memberId: 'm', leads: false, sources: [], kept: new Set<string>() }
  await expect(membership.heartbeat(place)).rejects.toMatchObject({ name: 'KafkaJSRequestTimeoutError' })
  expect(performance.now() - begun).toBeLessThan(80)
  expect(socket.destroyed).toBe(true)
})
