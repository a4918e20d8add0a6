const SEED = 0x9747b28c
const M = 0x5bd1e995

/** The partition the Java client gives a key by default, so that all producers agree: murmur2, made positive, modulo the count. */
export function partitionOf(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** Kafka's murmur2 in 32-bit integers; as an int32, like Java's. */
export function murmur2(data: Buffer): number {
  const { length } = data
  let hash = SEED ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let k = data.readInt32LE(at)
    k = Math.imul(k, M)
    k ^= k >>> 24
    k = Math.imul(k, M)
    hash = Math.imul(hash, M) ^ k
  }
  const rest = length - at
  if (rest === 3) hash ^= data[at + 2]! << 16
  if (rest >= 2) hash ^= data[at + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ data[at]!, M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}
