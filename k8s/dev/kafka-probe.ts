import { dialogue } from './dialogue.ts'
import type { Address } from './settings.ts'

/**
 * Asks a broker for the cluster's metadata and gives the ids of the brokers that are registered and unfenced.
 * Speaks the protocol itself, so that the stack needs nothing but Node.
 */
export async function liveBrokers(broker: Address, timeoutMs = 2_000): Promise<number[]> {
  return dialogue(broker, timeoutMs, async (ask) => {
    const answer = await ask(metadataRequest(), (received) =>
      received.length < 4 ? undefined : 4 + received.readInt32BE(0),
    )
    return brokerIds(answer)
  })
}

// Metadata version 5: a header (api, version, correlation, client), no topics, no automatic creation.
export function metadataRequest(): Buffer {
  const client = Buffer.from('tidemark-stack')
  const request = Buffer.alloc(4 + 10 + client.length + 5)
  request.writeInt32BE(request.length - 4, 0)
  request.writeInt16BE(3, 4)
  request.writeInt16BE(5, 6)
  request.writeInt32BE(1, 8)
  request.writeInt16BE(client.length, 12)
  client.copy(request, 14)
  return request
}

// The answer: length, correlation, throttle time, then an array of brokers: id, host, port, rack.
export function brokerIds(answer: Buffer): number[] {
  const ids: number[] = []
  let at = 16
  for (let left = answer.readInt32BE(12); left > 0; left--) {
    ids.push(answer.readInt32BE(at))
    at += 4 + 2 + answer.readInt16BE(at + 4) + 4
    at += 2 + Math.max(0, answer.readInt16BE(at))
  }
  return ids
}
