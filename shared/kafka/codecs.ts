import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import './version.ts'
import compression from 'kafkajs/src/protocol/message/compression/index.js'
import { TidemarkError } from '../errors.ts'

const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const ZSTD = 4

// gzip comes with kafkajs, zstd with Node from 22.15 on. snappy and lz4 need native code that nobody has asked for yet.
if (typeof zlib.zstdDecompress === 'function') {
  const compress = promisify<Buffer, Buffer>(zlib.zstdCompress)
  const decompress = promisify<Buffer, Buffer>(zlib.zstdDecompress)
  const codec = {
    compress: ({ buffer }: { readonly buffer: Buffer }) => compress(buffer),
    decompress: (buffer: Buffer) => decompress(buffer),
  }
  compression.Codecs[ZSTD] = () => codec
}

/** How to decompress a record batch with these attributes; null if it is not compressed. Throws CODEC_MISSING. */
export function codecOf(attributes: number): ((buffer: Buffer) => Promise<Buffer>) | null {
  const type = attributes & 7
  if (type === 0) return null
  try {
    const codec = compression.lookupCodecByAttributes(attributes)
    if (codec) return (buffer) => codec.decompress(buffer)
  } catch (cause) {
    throw missing(type, cause)
  }
  throw missing(type, undefined)
}

function missing(type: number, cause: unknown): TidemarkError {
  return new TidemarkError(
    'CODEC_MISSING',
    `records are compressed with ${NAMES[type] ?? `codec ${type}`}, which can't be read here`,
    { cause },
  )
}
