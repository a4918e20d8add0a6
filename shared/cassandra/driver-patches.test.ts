import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { type ControlConnection, searchOnce } from './driver-patches.ts'

type Fake = ControlConnection & { connection: unknown; host: unknown; searches: number }

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The driver's own control connection, with a network that takes its time. */
function controlConnection(): Fake {
  const own = createRequire(import.meta.url)('cassandra-driver/lib/control-connection').prototype
  const prototype = Object.assign(Object.create(own), { _refresh: own._refresh })
  return Object.assign(Object.create(prototype), {
    _isShuttingDown: false,
    _triedHosts: {},
    _reconnectionPolicy: { newSchedule: () => [].values() },
    _profileManager: {
      getDefaultLoadBalancing: () => ({
        newQueryPlan: (_: unknown, __: unknown, done: (error: null, plan: unknown) => void) => done(null, [].values()),
      }),
    },
    searches: 0,
    log() {},
    emit() {},
    async _refreshControlConnection(this: Fake) {
      this.searches++
      await turns(6)
      this.host = { once() {} }
      this.connection = { once() {}, endpointFriendlyName: 'a' }
    },
    async _refreshHosts() {},
    async _registerToConnectionEvents() {
      await turns(2)
    },
  })
}

/** Asks for a search, and again when the first has found a connection and asks it for events. */
async function twice(connection: Fake): Promise<unknown> {
  const first = connection._refresh()
  while (!connection.connection) await turns(1)
  return Promise.all([first, connection._refresh()])
}

test('a search for a control connection is not disturbed by another; with the driver alone that ends the process', async () => {
  await expect(twice(controlConnection())).rejects.toThrow(TypeError)
  const connection = controlConnection()
  searchOnce(Object.getPrototypeOf(connection))
  await twice(connection)
  expect(connection.searches).toBe(1)
  await connection._refresh()
  expect(connection.searches).toBe(2)
})
