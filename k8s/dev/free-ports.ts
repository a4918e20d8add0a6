import { createServer } from 'node:net'

/** The ports of a stack, by setting. */
export type Ports = Readonly<Record<'KAFKA_PORT' | 'CQL_PORT' | 'STORAGE_PORT' | 'JMX_PORT', number>>

/** These ports, or all of them moved together where one is taken. Kafka's controller listens 1000 above its port. */
export async function freePorts(wanted: Ports): Promise<Record<keyof Ports, string>> {
  const moved = (by: number) =>
    Object.fromEntries(Object.entries(wanted).map(([name, port]) => [name, String(port + by)])) as Record<
      keyof Ports,
      string
    >
  for (let by = 0; by <= 900; by += 100) {
    const ports = [...Object.values(wanted), wanted.KAFKA_PORT + 1_000]
    const free = await Promise.all(ports.map((port) => tryPort(port + by, '127.0.0.1')))
    if (!free.includes(undefined)) return moved(by)
  }
  // The stack itself says best which port is taken, and by whom.
  return moved(0)
}

/** The port wanted, or any other if somebody listens there. */
export async function freePort(preferred: number): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? preferred
}

function tryPort(port: number, host?: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const server = createServer()
  server.once('error', () => resolve(undefined))
  server.listen({ port, exclusive: true, ...(host ? { host } : {}) }, () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
  })
  return promise
}
