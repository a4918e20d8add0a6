import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { TidemarkError } from '../errors.ts'

type Decompress = (bytes: Buffer) => Promise<Buffer>

interface Codec {
  readonly name: string
  /** What there has to be for it, where something has. */
  readonly needs: string
  /** Rejects, or gives undefined, where it is not there. */
  load(): Promise<Decompress | undefined>
}

/** By Kafka's number. gzip and zstd come with Node; the other two need native code, which is loaded when records first ask for it. */
const codecs: readonly (Codec | undefined)[] = [
  undefined,
  { name: 'gzip', needs: 'Node', load: async () => promisify<Buffer, Buffer>(zlib.gunzip) },
  {
    name: 'snappy',
    needs: 'the npm package snappy',
    load: async () => {
      const { default: snappy } = await import('snappy')
      return (bytes) => unframed(bytes, (block) => snappy.uncompress(block, { asBuffer: true }))
    },
  },
  {
    name: 'lz4',
    needs: 'the npm package lz4-napi',
    load: async () => {
      const { default: lz4 } = await import('lz4-napi')
      return (bytes) => lz4.decompressFrame(bytes)
    },
  },
  {
    name: 'zstd',
    needs: 'Node 22.15 or later',
    load: async () =>
      typeof zlib.zstdDecompress === 'function' ? promisify<Buffer, Buffer>(zlib.zstdDecompress) : undefined,
  },
]

const loaded = new Map<number, Promise<Decompress>>()

/** How to decompress a record batch with these attributes; null if it is not compressed. The function rejects with CODEC_MISSING where it can't be read here. */
export function codecOf(attributes: number): Decompress | null {
  const type = attributes & 7
  if (type === 0) return null
  return async (bytes) => {
    const known = loaded.get(type) ?? load(type)
    loaded.set(type, known)
    return (await known)(bytes)
  }
}

async function load(type: number): Promise<Decompress> {
  const codec = codecs[type]
  const what = `records are compressed with ${codec?.name ?? `codec ${type}`}, which can't be read here`
  if (!codec) throw new TidemarkError('CODEC_MISSING', what)
  const needed = `${what} without ${codec.needs}`
  const decompress = await codec.load().catch((cause: unknown) => {
    throw new TidemarkError('CODEC_MISSING', needed, { cause })
  })
  if (!decompress) throw new TidemarkError('CODEC_MISSING', needed)
  return decompress
}

/** How xerial's stream begins, which Java's clients and brokers write: its name, its version and the oldest that can read it. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER = 16

/** Snappy comes as a stream of blocks, each behind its length; librdkafka and others write one block and nothing else. */
async function unframed(bytes: Buffer, uncompress: Decompress): Promise<Buffer> {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uncompress(bytes)
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER; at < bytes.length; ) {
    const size = bytes.readInt32BE(at)
    const end = at + 4 + size
    if (size < 0 || end > bytes.length) throw new RangeError(`a snappy block of ${size} bytes runs out of its batch`)
    blocks.push(await uncompress(bytes.subarray(at + 4, end)))
    at = end
  }
  return Buffer.concat(blocks)
}
