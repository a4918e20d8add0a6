import { type Source, sourceText } from '../../events/position.ts'
import type { MemoryMember } from './member.ts'
import type { MemoryPartition } from './partition.ts'
import type { Signal } from './signal.ts'

/** Where the partitions of some topics are looked up; a topic may be re-created or grow between two generations. */
export type Partitions = (topic: string) => readonly MemoryPartition[]

/** The coordinator's side of one consumer group: who is in it, who owns what, what is committed. */
export class MemoryGroup {
  readonly committed = new Map<string, number>()
  readonly partitions: Partitions
  readonly signal: Signal
  #members: MemoryMember[] = []
  #owners = new Map<string, MemoryMember>()
  #rebalancing = false
  #wanted = false
  #abrupt = new Set<MemoryMember>()

  /** Counts the generations that have begun. */
  generation = 0

  constructor(partitions: Partitions, signal: Signal) {
    this.partitions = partitions
    this.signal = signal
  }

  get members(): readonly MemoryMember[] {
    return this.#members
  }

  get stable(): boolean {
    return !this.#rebalancing
  }

  /** Commits are taken from the owner only, and until the next generation begins: also while its members drain. */
  owns(member: MemoryMember, source: Source): boolean {
    return this.#owners.get(sourceText(source)) === member
  }

  join(member: MemoryMember): void {
    if (!this.#members.includes(member)) this.#members.push(member)
    this.rebalance()
  }

  leave(member: MemoryMember): void {
    this.#members = this.#members.filter((other) => other !== member)
    for (const [source, owner] of this.#owners) if (owner === member) this.#owners.delete(source)
    this.rebalance()
  }

  /** Begins a generation when all members have drained; `abrupt` is not asked to and meets it with its handlers running. */
  rebalance(abrupt?: MemoryMember): void {
    if (abrupt) this.#abrupt.add(abrupt)
    this.#wanted = true
    if (!this.#rebalancing) void this.#rebalance()
  }

  async #rebalance(): Promise<void> {
    this.#rebalancing = true
    while (this.#wanted) {
      this.#wanted = false
      const abrupt = this.#abrupt
      this.#abrupt = new Set()
      await Promise.all(this.#members.filter((member) => !abrupt.has(member)).map((member) => member.drain()))
      // Somebody came or went while the others drained: they stay drained, and one generation serves both changes.
      if (this.#wanted) {
        for (const member of abrupt) this.#abrupt.add(member)
        continue
      }
      this.#owners = this.#assign()
      this.generation++
      for (const member of this.#members) member.begin(this.#sourcesOf(member))
    }
    this.#rebalancing = false
    this.signal.notify()
  }

  #sourcesOf(member: MemoryMember): MemoryPartition[] {
    return this.#subscribed(member).filter(({ source }) => this.owns(member, source))
  }

  #subscribed(member: MemoryMember): MemoryPartition[] {
    return member.topics.flatMap((topic) => [...this.partitions(topic)])
  }

  /** Sticky and balanced: nobody gets more than his share, and keeps what he had within it. */
  #assign(): Map<string, MemoryMember> {
    const owners = new Map<string, MemoryMember>()
    const all = new Map(
      this.#members.flatMap((member) =>
        this.#subscribed(member).map(({ source }) => [sourceText(source), source] as const),
      ),
    )
    const load = new Map(this.#members.map((member) => [member, 0]))
    const share = Math.ceil(all.size / this.#members.length)
    const give = (source: string, member: MemoryMember) => {
      owners.set(source, member)
      load.set(member, load.get(member)! + 1)
    }
    for (const source of all.keys()) {
      const owner = this.#owners.get(source)
      if (owner && load.has(owner) && load.get(owner)! < share) give(source, owner)
    }
    for (const [text, source] of all) {
      if (owners.has(text)) continue
      const able = this.#members.filter((member) => member.topics.includes(source.topic))
      give(
        text,
        able.reduce((least, member) => (load.get(member)! < load.get(least)! ? member : least)),
      )
    }
    return owners
  }
}
