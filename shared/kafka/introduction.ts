import kafkajs from 'kafkajs'
import type { Source } from '../events/position.ts'
import type { Candidate } from './assignor.ts'

const { MemberMetadata } = kafkajs.AssignerProtocol

/** What a member tells its group of itself. */
export interface Introduced extends Candidate {
  /** Names what it writes into; undefined if it is of a release that does not say. */
  readonly view: string | undefined
}

/** In bytes: what it reads, what it writes into, and what it read in its last generation. */
export function introduction(
  topics: readonly string[],
  last: { readonly view: string | undefined; readonly generation: number; readonly sources: readonly Source[] },
): Buffer {
  const { view, generation, sources } = last
  const owned = sources.map(({ topic, partition }) => [topic, partition])
  const userData = Buffer.from(JSON.stringify({ view, generation, owned }))
  return MemberMetadata.encode({ version: 0, topics: [...topics], userData })
}

/** The bytes of a member's introduction. Those of another program may be anything, and then say nothing. */
export function introduced(id: string, bytes: Buffer): Introduced {
  const said = attempt(() => MemberMetadata.decode(bytes))
  const history = attempt(() => remembered(String(said?.userData)))
  return { id, topics: said?.topics ?? [], ...(history ?? { view: undefined, generation: -1, owned: [] }) }
}

function remembered(userData: string): Omit<Introduced, 'id' | 'topics'> {
  const { view, generation, owned }: { view?: string; generation: number; owned: [string, number][] } =
    JSON.parse(userData)
  return { view, generation, owned: owned.map(([topic, partition]) => ({ topic, partition })) }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
