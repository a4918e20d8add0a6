import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { frame, releaseVersion } from './cassandra-probe.ts'
import { brokerIds, liveBrokers, metadataRequest } from './kafka-probe.ts'
import type { Address } from './settings.ts'

let server: Server | undefined
afterEach(() => server?.close())

/** A server that gives each of these answers to one request, in as many pieces as there are bytes. */
async function answering(...answers: Buffer[]): Promise<Address> {
  server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('data', () => {
      for (const byte of answers.shift() ?? []) socket.write(Buffer.from([byte]))
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port }
}

const metadata = Buffer.from([
  ...[0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0, 0, 0, 1, 0, 1, 97, 0, 0, 35, 132, 255, 255],
  ...[0, 0, 0, 3, 0, 1, 98, 0, 0, 35, 132, 0, 2, 114, 49],
])

test('the brokers of a metadata answer are read, with and without a rack', () => {
  expect(brokerIds(metadata)).toEqual([1, 3])
})

test('a Kafka answer that comes in pieces is one answer', async () => {
  expect(await liveBrokers(await answering(metadata))).toEqual([1, 3])
})

test('the metadata request says its own length', () => {
  expect(metadataRequest().readInt32BE(0)).toBe(metadataRequest().length - 4)
})

const ready = frame(2, Buffer.alloc(0))
const rows = Buffer.concat([
  Buffer.from([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1]),
  ...['system', 'local', 'release_version'].map((text) => Buffer.from([0, text.length, ...Buffer.from(text)])),
  Buffer.from([0, 13, 0, 0, 0, 1, 0, 0, 0, 5]),
  Buffer.from('5.0.9'),
])

test('a Cassandra node is ready when it gives its version over CQL', async () => {
  expect(await releaseVersion(await answering(ready, frame(8, rows)))).toBe('5.0.9')
})

test("a Cassandra node's refusal is given in its own words", async () => {
  const refusal = Buffer.concat([Buffer.from([0, 0, 0x10, 0, 0, 4]), Buffer.from('busy')])
  await expect(releaseVersion(await answering(ready, frame(0, refusal)))).rejects.toThrow('busy')
})

test('a port that nobody serves, and a server that stays silent, are not ready', async () => {
  const address = await answering()
  await expect(liveBrokers(address, 50)).rejects.toThrow('no answer in 50 ms')
  server?.close()
  await expect(liveBrokers({ ...address, port: 1 }, 50)).rejects.toThrow('ECONNREFUSED')
})
