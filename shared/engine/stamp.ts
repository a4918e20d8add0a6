/**
 * The write timestamp of everything an event causes (DESIGN §2). Later events stamp higher, so in Cassandra itself a late
 * writer loses and a repeated write changes nothing. The slots order what one event causes.
 */
export const slot = {
  /** Removes what the row was. */
  delete: 0,
  /** The row, or the marker of a deleted one. */
  write: 2,
  /** A row set aside at this event. */
  park: 4,
  /** The row let go again after this event, and whatever a person decided about a dead letter. */
  release: 6,
} as const

export type Slot = (typeof slot)[keyof typeof slot]

const BASE = 1_700_000_000_000_000

/** Microseconds, exact as a plain number for offsets below 4 × 10¹⁴. */
export function stamp(offset: number, of: Slot): number {
  return BASE + offset * 16 + of
}

/** The offset a stamp was made from; for reading WRITETIME. */
export function stampedOffset(timestamp: number): number {
  return Math.floor((timestamp - BASE) / 16)
}
