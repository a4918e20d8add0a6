import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { faultProxy } from './fault-proxy.ts'

const HOST = '127.0.0.1'

/** An echo behind a proxy, and a client of it. */
async function scene() {
  const heard: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      heard.push(String(piece))
      socket.write(piece)
    })
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  const bound = server.address()
  const proxy = await faultProxy(
    { host: HOST, port: 0 },
    { host: HOST, port: typeof bound === 'object' ? bound!.port : 0 },
  )
  const client = async () => {
    const socket = connect(proxy.address)
    const fate = new Promise<string>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
      socket.once('close', () => resolve('closed'))
    })
    await Promise.race([once(socket, 'connect'), fate])
    const say = (text: string) => {
      socket.write(text)
      return once(socket, 'data').then(([piece]) => String(piece))
    }
    return { socket, say, fate }
  }
  onTestFinished(async () => {
    await proxy.close()
    server.close()
  })
  return { proxy, client, heard }
}

test('passes bytes on, late where it is told to', async () => {
  const { proxy, client } = await scene()
  const { say } = await client()
  expect(await say('one')).toBe('one')
  proxy.weather({ delayMs: 30 })
  const began = performance.now()
  expect(await say('two')).toBe('two')
  expect(performance.now() - began).toBeGreaterThan(55)
})

test('a throttled connection passes so many bytes a second', async () => {
  const { proxy, client } = await scene()
  const { say } = await client()
  proxy.weather({ bytesPerSecond: 20_000 })
  await say('x'.repeat(1_000))
  const began = performance.now()
  await say('y')
  expect(performance.now() - began).toBeGreaterThan(40)
})

test('half open: the request arrives, the answer does not', async () => {
  const { proxy, client, heard } = await scene()
  const { say, fate } = await client()
  await say('one')
  proxy.weather({ lost: 'replies' })
  const answered = say('two')
  await expect.poll(() => heard).toEqual(['one', 'two'])
  proxy.cut()
  expect(await Promise.race([answered, fate])).toBe('ECONNRESET')
})

test('a black hole passes nothing, and nobody is told', async () => {
  const { proxy, client, heard } = await scene()
  const { socket } = await client()
  proxy.weather({ lost: 'everything' })
  socket.write('lost')
  const other = await client()
  proxy.weather({})
  expect(await other.say('kept')).toBe('kept')
  expect(heard).toEqual(['kept'])
  expect(socket.destroyed).toBe(false)
})

test('cut resets what is open, cutAfter in the midst of an answer, and refuse lets nobody in', async () => {
  const { proxy, client } = await scene()
  const one = await client()
  await one.say('x')
  proxy.cut()
  expect(await one.fate).toBe('ECONNRESET')
  const two = await client()
  proxy.cutAfter(10)
  two.socket.write('x'.repeat(100))
  expect(await two.fate).toBe('ECONNRESET')
  await proxy.refuse()
  expect(await (await client()).fate).toBe('ECONNREFUSED')
  await proxy.accept()
  expect(await (await client()).say('back')).toBe('back')
})
