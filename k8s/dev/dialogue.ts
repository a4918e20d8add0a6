import { connect } from 'node:net'
import type { Address } from './settings.ts'

/** Sends a request and gives the first whole answer. `size` is the answer's length, once enough of it is there to tell. */
export type Ask = (request: Buffer, size: (received: Buffer) => number | undefined) => Promise<Buffer>

/** One short conversation over TCP. Rejects when the server refuses, hangs up or stays silent. */
export async function dialogue<T>(to: Address, timeoutMs: number, talk: (ask: Ask) => Promise<T>): Promise<T> {
  const socket = connect(to)
  const timer = setTimeout(
    () => socket.destroy(new Error(`${to.host}:${to.port} gave no answer in ${timeoutMs} ms`)),
    timeoutMs,
  )
  const chunks = socket[Symbol.asyncIterator]()
  let received: Buffer = Buffer.alloc(0)
  const ask: Ask = async (request, size) => {
    socket.write(request)
    for (;;) {
      const length = size(received)
      if (length !== undefined && received.length >= length) {
        const answer = received.subarray(0, length)
        received = received.subarray(length)
        return answer
      }
      const { value, done } = await chunks.next()
      if (done) throw new Error(`${to.host}:${to.port} hung up`)
      received = Buffer.concat([received, value as Buffer])
    }
  }
  try {
    return await talk(ask)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
