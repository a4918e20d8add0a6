const MATERIALS = [
  'oak',
  'linen',
  'copper',
  'wool',
  'walnut',
  'glass',
  'leather',
  'clay',
  'steel',
  'cotton',
  'marble',
  'cork',
]
const THINGS = ['lamp', 'mug', 'chair', 'blanket', 'kettle', 'vase', 'bag', 'bowl', 'clock', 'tray', 'stool', 'candle']

/** A shop's products by popularity, always the same: `copper-kettle`. The count may be anything; beyond 144 they get numbers. */
export function productIds(count: number): readonly string[] {
  const kinds = MATERIALS.length * THINGS.length
  return Array.from({ length: count }, (_, index) => {
    // A step that shares no factor with the number of kinds meets each of them once, in an order that looks like none.
    const kind = (index * 31 + 17) % kinds
    const series = Math.floor(index / kinds)
    const name = `${MATERIALS[Math.floor(kind / THINGS.length)]}-${THINGS[kind % THINGS.length]}`
    return series === 0 ? name : `${name}-${series + 1}`
  })
}
