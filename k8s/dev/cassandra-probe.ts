import { type Ask, dialogue } from './dialogue.ts'
import type { Address } from './settings.ts'

const OPCODE = { error: 0x00, startup: 0x01, ready: 0x02, query: 0x07, result: 0x08 } as const
const CONSISTENCY = { one: 0x0001, all: 0x0005 } as const

/** The version a node gives over CQL. Rejects while it doesn't serve queries. */
export async function releaseVersion(node: Address, timeoutMs = 5_000): Promise<string> {
  return dialogue(node, timeoutMs, async (ask) => {
    await startup(ask)
    return firstText(await query(ask, 'SELECT release_version FROM system.local', CONSISTENCY.one))
  })
}

/**
 * Rejects until this node reaches all three replicas of a table that has three: a node that answers for itself
 * may still hold the others for dead and refuse a quorum.
 */
export async function seesAllReplicas(node: Address, timeoutMs = 5_000): Promise<void> {
  await dialogue(node, timeoutMs, async (ask) => {
    await startup(ask)
    const cql =
      "SELECT status FROM system_distributed.view_build_status WHERE keyspace_name = 'none' AND view_name = 'none'"
    await query(ask, cql, CONSISTENCY.all)
  })
}

async function startup(ask: Ask): Promise<void> {
  const entry = [shortString('CQL_VERSION'), shortString('3.0.0')]
  await request(ask, OPCODE.startup, Buffer.concat([Buffer.from([0, 1]), ...entry]), OPCODE.ready)
}

async function query(ask: Ask, cql: string, consistency: number): Promise<Buffer> {
  const text = Buffer.from(cql)
  const head = Buffer.alloc(4)
  head.writeInt32BE(text.length)
  return request(ask, OPCODE.query, Buffer.concat([head, text, Buffer.from([0, consistency, 0])]), OPCODE.result)
}

async function request(ask: Ask, opcode: number, body: Buffer, expected: number): Promise<Buffer> {
  const answer = await ask(frame(opcode, body), (received) =>
    received.length < 9 ? undefined : 9 + received.readInt32BE(5),
  )
  const got = answer.readUInt8(4)
  if (got === OPCODE.error) throw new Error(answer.toString('utf8', 15, 15 + answer.readUInt16BE(13)))
  if (got !== expected) throw new Error(`the server answered with opcode ${got} instead of ${expected}`)
  return answer.subarray(9)
}

// Native protocol version 4: version, flags, stream, opcode, length, body.
export function frame(opcode: number, body: Buffer): Buffer {
  const head = Buffer.from([4, 0, 0, 0, opcode, 0, 0, 0, 0])
  head.writeInt32BE(body.length, 5)
  return Buffer.concat([head, body])
}

/** The only value of a result with one row of one text column: kind, flags, columns, keyspace, table, name, type, rows, value. */
export function firstText(result: Buffer): string {
  let at = 12
  for (let strings = 0; strings < 3; strings++) at += 2 + result.readUInt16BE(at)
  at += 2
  if (result.readInt32BE(at) !== 1) throw new Error('the answer holds no row')
  const length = result.readInt32BE(at + 4)
  return result.toString('utf8', at + 8, at + 8 + length)
}

function shortString(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}
