import { type Source, sourceText } from '../events/position.ts'

export interface Candidate {
  readonly id: string
  readonly topics: readonly string[]
  /** What it read before, with the generation it read it in: of two that claim one partition the later one has it. */
  readonly owned: readonly Source[]
  readonly generation: number
}

/**
 * Who reads what: balanced, per topic and in total (nobody has two more than another who could take one), and sticky: within
 * that, everybody keeps what it had, so that a scaling step moves as few partitions, and working sets, as it can. The same
 * candidates and partitions give the same answer, in whatever order they come.
 */
export function assign(
  candidates: readonly Candidate[],
  topics: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, readonly Source[]> {
  const members = [...candidates].sort((a, b) => (a.id < b.id ? -1 : 1))
  const shares = new Map<string, Source[]>(members.map(({ id }) => [id, []]))
  const total = (id: string) => shares.get(id)!.length
  const owners = claims(members)

  for (const [topic, partitions] of [...topics].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const readers = members.filter((member) => member.topics.includes(topic))
    if (readers.length === 0) continue
    const had = new Map(
      readers.map(({ id }) => [
        id,
        partitions.filter((partition) => owners.get(sourceText({ topic, partition })) === id),
      ]),
    )
    const low = Math.floor(partitions.length / readers.length)
    // Who gets one more than the others: those with the least so far, and among them those who would lose one otherwise.
    const generous = [...readers]
      .sort((a, b) => total(a.id) - total(b.id) || had.get(b.id)!.length - had.get(a.id)!.length)
      .slice(0, partitions.length % readers.length)
    const room = new Map(readers.map((reader) => [reader.id, low + (generous.includes(reader) ? 1 : 0)]))
    const left = new Set(partitions)
    const give = (id: string, partition: number) => {
      shares.get(id)!.push({ topic, partition })
      room.set(id, room.get(id)! - 1)
      left.delete(partition)
    }
    for (const [id, kept] of had) for (const partition of kept.slice(0, room.get(id))) give(id, partition)
    for (const { id } of readers) for (const partition of [...left].slice(0, room.get(id))) give(id, partition)
  }
  return shares
}

function claims(members: readonly Candidate[]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  for (const { id, owned } of [...members].sort((a, b) => a.generation - b.generation)) {
    for (const source of owned) owners.set(sourceText(source), id)
  }
  return owners
}
