import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import loggers from 'kafkajs/src/loggers/index.js'
import Connection from 'kafkajs/src/network/connection.js'
import createSocketFactory from 'kafkajs/src/network/socketFactory.js'
import Encoder from 'kafkajs/src/protocol/encoder.js'
import { expect, onTestFinished, test } from 'vitest'
import './patches.ts'

const question = {
  request: { apiKey: 18, apiVersion: 0, apiName: 'Question', encode: async () => new Encoder() },
  response: { decode: async (payload: Buffer) => String(payload), parse: async (answer: string) => answer },
}

/** An answer as brokers frame it: size, correlation id, payload. */
function framed(request: Buffer, payload: string): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + payload.length, 0)
  head.writeInt32BE(request.readInt32BE(8), 4)
  return Buffer.concat([head, Buffer.from(payload)])
}

async function broker(answer: (request: Buffer, socket: Socket, connections: number) => void) {
  let connections = 0
  const server = createServer((socket) => {
    const number = ++connections
    socket.on('error', () => {})
    socket.on('data', (request) => answer(request, socket, number))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return new Connection({
    host: '127.0.0.1',
    port: typeof address === 'object' ? address?.port : undefined,
    logger: loggers.createLogger({ level: loggers.LEVELS.NOTHING, logCreator: () => () => {} }),
    socketFactory: createSocketFactory(),
    requestTimeout: 1_000,
    connectionTimeout: 1_000,
  })
}

test('a connection that was cut in the midst of an answer understands the next one', async () => {
  const connection = await broker((request, socket, connections) => {
    if (connections > 1) socket.write(framed(request, 'whole'))
    else socket.write(framed(request, 'in half').subarray(0, 9), () => setImmediate(() => socket.resetAndDestroy()))
  })
  await connection.connect()
  await expect(connection.send(question)).rejects.toThrow(/ECONNRESET|Closed connection/)
  await connection.connect()
  expect(await connection.send(question)).toBe('whole')
  await connection.disconnect()
})

test('a server that speaks something else fails the request, not the process', async () => {
  const cassandra = Buffer.from([0x84, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0])
  const connection = await broker((_, socket) => void socket.write(cassandra))
  await connection.connect()
  await expect(connection.send(question)).rejects.toThrow(/does it speak Kafka\?/)
  await connection.disconnect()
})
