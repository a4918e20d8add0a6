// node narrow.mjs HOST PORT BYTES_PER_SECOND: stands before a Cassandra and lets only so much through to it. What waits forms one queue,
// so that the more is asked of it the later each answer comes, as with a server at its limit. Answers come back unhindered.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const [host, port, rate] = process.argv.slice(2)
let free = performance.now()

async function pass(from, to) {
  for await (const chunk of from) {
    const now = performance.now()
    free = Math.max(free, now) + (chunk.length / Number(rate)) * 1_000
    await sleep(free - now)
    if (!to.write(chunk)) await once(to, 'drain')
  }
  to.end()
}

createServer((client) => {
  const server = connect(Number(port), host)
  const end = () => {
    client.destroy()
    server.destroy()
  }
  client.on('error', end)
  server.on('error', end).on('close', end)
  server.pipe(client)
  pass(client, server).catch(end)
}).listen(9042)
