/** One partition of one topic: where an order of events exists. As text `carts/3`. */
export interface Source {
  readonly topic: string
  readonly partition: number
}

/** Where Kafka put an event. As text `carts/3/1234`. Offsets are plain numbers: exact below 2^53. */
export interface Position extends Source {
  readonly offset: number
}

export function sourceText({ topic, partition }: Source): string {
  return `${topic}/${partition}`
}

export function positionText({ topic, partition, offset }: Position): string {
  return `${topic}/${partition}/${offset}`
}

const SHAPE = /^([A-Za-z0-9._-]{1,249})\/(\d{1,9})(?:\/(\d{1,15}))?$/

/** Reads `carts/3`; undefined for anything else. */
export function parseSource(text: string): Source | undefined {
  const [, topic, partition, offset] = SHAPE.exec(text) ?? []
  return topic === undefined || offset !== undefined ? undefined : { topic, partition: Number(partition) }
}

/** Reads `carts/3/1234`; undefined for anything else. */
export function parsePosition(text: string): Position | undefined {
  const [, topic, partition, offset] = SHAPE.exec(text) ?? []
  return topic === undefined || offset === undefined
    ? undefined
    : { topic, partition: Number(partition), offset: Number(offset) }
}
