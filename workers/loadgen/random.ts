/** Chance that can be repeated: the same seed gives the same sequence, on every machine. */
export interface Random {
  /** From 0 (inclusive) to 1 (exclusive). */
  fraction(): number
  /** A whole number from `min` to `max`, both inclusive. */
  whole(min: number, max: number): number
  /** True with the given probability. */
  chance(probability: number): boolean
}

/** The sfc32 generator, its state filled from the seed's digits. */
export function random(seed: number): Random {
  let a = seed >>> 0
  let b = Math.floor(seed / 2 ** 32) >>> 0
  let c = 0x9e3779b9
  let counter = 1
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // Seeds that differ in one bit have like states until these have been mixed.
  for (let round = 0; round < 15; round++) next()
  const fraction = () => next() / 2 ** 32
  return {
    fraction,
    whole: (min, max) => min + Math.floor(fraction() * (max - min + 1)),
    chance: (probability) => fraction() < probability,
  }
}

/**
 * Ranks from 0 to `count - 1` by Zipf's law: rank k is met in proportion to 1 / (k + 1)^exponent. Exponent 0 makes all alike, 1 is
 * how often products are bought, above it few of them get nearly everything.
 */
export function zipf(count: number, exponent: number): (random: Random, among?: number) => number {
  const cumulative: number[] = []
  for (let rank = 0, sum = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** exponent
    cumulative.push(sum)
  }
  return (random, among = count) => {
    const point = random.fraction() * (cumulative[among - 1] ?? 0)
    let low = 0
    for (let high = among - 1; low < high; ) {
      const middle = (low + high) >>> 1
      if ((cumulative[middle] ?? 0) > point) high = middle
      else low = middle + 1
    }
    return low
  }
}
