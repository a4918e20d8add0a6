/** How a projector works: the operator's tuning, never the author's. */
export interface EngineSettings {
  /** Behind, a partition flushes when so many rows wait: enough that many events on one row meet in memory, few enough that one flush takes well under a second. */
  readonly flushRows: number
  /** … or so many bytes of rows and set-aside events, shared by the partitions of a projection: bounds memory where these are large. Twice as much may wait, and as much be in flight. */
  readonly flushBytes: number
  /** … or so many milliseconds after the last flush, sooner the nearer the end is: bounds what a crash makes the next owner do again. */
  readonly flushIntervalMs: number
  /** Bytes of rows kept in memory per projection, shared by its partitions. A row that is not there costs one read. */
  readonly workingSetBytes: number
  /** What a person wants done with poison events when they come. */
  readonly onPoison: 'park' | 'skip' | 'stop'
  /** A row above this is poison: Cassandra handles large rows badly long before it refuses them. */
  readonly maxRowBytes: number
  /** While rows never met need no read (see `Folder`), the first so many and then one in so many are read all the same: that finds rows fed from two partitions at once. */
  readonly sampleReads: { readonly first: number; readonly oneIn: number }
  /** Waits between tries while the world fails: doubles from the first to the last, each cut by chance down to half. */
  readonly backoffMs: { readonly first: number; readonly last: number }
  /** How often the owner of a partition looks for what people asked to be done with its dead letters. */
  readonly requestPollMs: number
  /** How often a partition's progress is recorded beside the view; a replaced log is found by it. */
  readonly progressIntervalMs: number
}

export const defaultSettings: EngineSettings = {
  flushRows: 20_000,
  flushBytes: 64 << 20,
  flushIntervalMs: 3_000,
  workingSetBytes: 256 << 20,
  onPoison: 'park',
  maxRowBytes: 1 << 20,
  sampleReads: { first: 100, oneIn: 1_000 },
  backoffMs: { first: 50, last: 5_000 },
  requestPollMs: 1_000,
  progressIntervalMs: 1_000,
}
