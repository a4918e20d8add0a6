import { TidemarkError } from '../../errors.ts'
import { type Source, sourceText } from '../../events/position.ts'
import { systemClock } from '../clock.ts'
import type { Assignment, Clock, EventSource, SourceListener } from '../ports.ts'
import type { MemoryGroup } from './group.ts'
import type { MemoryPartition } from './partition.ts'

export interface MemorySourceOptions {
  /** Records per batch at most. */
  readonly batch?: number
  /** Milliseconds a rebalance or a stop waits for `drain` and the handlers in flight. */
  readonly drainDeadline?: number
  /** What the deadline is measured by; the machine's own time. */
  readonly clock?: Pick<Clock, 'sleep'>
}

interface Lane {
  readonly partition: MemoryPartition
  position: number
}

/** One member of an in-memory group: an `EventSource`, with the faults that a test wants to see survived. */
export class MemoryMember implements EventSource {
  readonly topics: readonly string[]
  readonly #group: MemoryGroup
  readonly #batch: number
  readonly #deadline: number
  readonly #clock: Pick<Clock, 'sleep'>
  readonly #ended = Promise.withResolvers<void>()
  #listener: SourceListener | undefined
  /** What this member reads in the generation it knows of. */
  #lanes = new Map<string, Lane>()
  /** The handler in flight per partition. It may outlive its generation, and one at a time is promised all the same. */
  readonly #busy = new Map<string, Promise<void>>()
  /** Counts the generations this member has begun; loops of an older one end when they see it. */
  #epoch = 0
  /** The group's generation it has last been in. */
  #generation = -1
  #assigned: Promise<void> = Promise.resolve()
  #assigning = 0
  /** Set from the moment a generation starts to end: nothing is delivered, and `drain` is called once. */
  #drained: Promise<void> | undefined
  #gone = false
  #suspended = false
  #stopped: Promise<void> | undefined
  #commitFailures = 0

  constructor(
    group: MemoryGroup,
    topics: readonly string[],
    { batch = 100, drainDeadline = 30_000, clock = systemClock }: MemorySourceOptions = {},
  ) {
    this.#group = group
    this.topics = topics
    this.#batch = batch
    this.#deadline = drainDeadline
    this.#clock = clock
  }

  run(listener: SourceListener): Promise<void> {
    if (this.#gone) return Promise.resolve()
    this.#listener = listener
    try {
      for (const topic of this.topics) this.#group.partitions(topic)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#group.join(this)
    return this.#ended.promise
  }

  async commit(source: Source, next: number): Promise<void> {
    if (this.#commitFailures > 0) {
      this.#commitFailures--
      throw new TidemarkError(
        'KAFKA_UNAVAILABLE',
        `commit of ${sourceText(source)} at ${next} failed: the test wanted it to`,
      )
    }
    if (!this.#group.owns(this, source)) return
    this.#group.committed.set(sourceText(source), next)
    this.#group.signal.notify()
  }

  rewind(source: Source, offset: number): void {
    const lane = this.#lanes.get(sourceText(source))
    if (!lane) return
    lane.position = offset
    this.#group.signal.notify()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    if (this.#gone) return
    await this.drain()
    if (this.#gone) return
    this.#leave()
    this.#ended.resolve()
  }

  /* ── The group's side ── */

  /** Ends the generation: no more deliveries, `drain` is called once, and what is in flight is waited for until the deadline. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain()
    return this.#drained
  }

  async #drain(): Promise<void> {
    if (this.#epoch === 0) return
    const over = new AbortController()
    const deadline = this.#clock.sleep(this.#deadline, over.signal)
    // What a failed drain left undone is delivered again, so the rebalance goes on all the same.
    const drained = this.#assigned.then(() => this.#listener?.drain()).catch(() => {})
    await Promise.race([Promise.all([drained, ...this.#busy.values()]), deadline])
    over.abort()
  }

  /** Begins a generation with exactly these partitions. */
  begin(partitions: readonly MemoryPartition[]): void {
    const epoch = ++this.#epoch
    this.#drained = undefined
    const lanes = new Map<string, Lane>()
    const follows = this.#generation + 1 === this.#group.generation
    this.#generation = this.#group.generation
    const assignments = partitions.map((partition) => {
      const assignment = this.#assignment(partition, follows)
      lanes.set(sourceText(partition.source), { partition, position: assignment.start })
      return assignment
    })
    // Until they are taken over, nothing an earlier generation still says about its partitions touches them.
    this.#lanes = new Map()
    this.#assigning++
    this.#assigned = this.#assigned
      .then(() => (this.#current(epoch) ? this.#listener?.assigned(assignments) : undefined))
      .then(
        () => {
          if (!this.#current(epoch)) return
          this.#lanes = lanes
          for (const lane of lanes.values()) void this.#deliver(lane, epoch)
        },
        (error: unknown) => this.#fail(error),
      )
      .finally(() => {
        this.#assigning--
        this.#group.signal.notify()
      })
  }

  #assignment({ source, start, end }: MemoryPartition, follows: boolean): Assignment {
    const committed = this.#group.committed.get(sourceText(source))
    const within = committed !== undefined && committed >= start && committed <= end
    const kept = follows && this.#lanes.has(sourceText(source))
    return { source, kept, start: within ? committed : start, committed, logStart: start, end }
  }

  #current(epoch: number): boolean {
    return epoch === this.#epoch && !this.#gone
  }

  /** One partition's loop, for one generation. */
  async #deliver(lane: Lane, epoch: number): Promise<void> {
    const name = sourceText(lane.partition.source)
    const { signal } = this.#group
    await signal.until(() => !this.#busy.has(name) || !this.#current(epoch))
    while (this.#current(epoch) && !this.#drained) {
      const batch = this.#suspended ? undefined : lane.partition.fetch(lane.position, this.#batch)
      if (!batch) {
        await signal.wait()
        continue
      }
      lane.position = batch.next
      const handled = this.#handle(() => this.#listener?.records(batch))
      this.#busy.set(name, handled)
      await handled
      this.#busy.delete(name)
      signal.notify()
    }
  }

  async #handle(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work()
    } catch (error) {
      void this.#fail(error)
    }
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#gone) return
    this.#leave()
    await this.#listener?.drain().catch(() => {})
    this.#ended.reject(error)
  }

  #leave(): void {
    this.#gone = true
    this.#group.leave(this)
    this.#group.signal.notify()
  }

  /* ── Faults ── */

  /** kill -9: nothing is drained, nothing more is delivered or committed, `run` never settles, the group goes on without it. */
  crash(): void {
    this.#leave()
  }

  /** The session timed out and this member does not know: it is still delivered records (a zombie), its commits do nothing. */
  evict(): void {
    this.#group.leave(this)
  }

  /** SIGSTOP for longer than the session: nothing is delivered until `rejoin`, and whatever was known is out of date by then. */
  suspend(): void {
    if (!this.#group.members.includes(this)) return
    this.#suspended = true
    this.evict()
  }

  /** A new generation without a drain, while handlers are in flight; an evicted member finds out and joins again. */
  rejoin(): void {
    if (this.#gone || !this.#listener) return
    this.#suspended = false
    this.#group.signal.notify()
    if (!this.#group.members.includes(this)) this.#group.join(this)
    this.#group.rebalance(this)
  }

  /** The next `count` commits reject with KAFKA_UNAVAILABLE. */
  failCommits(count: number): void {
    this.#commitFailures = count
  }

  /** Counts the generations this member has seen; Kafka takes no commit of an older one. */
  get generation(): number {
    return this.#epoch
  }

  /** Nothing is being handled, and everything there is was delivered. */
  get idle(): boolean {
    if (this.#gone) return true
    const read = [...this.#lanes.values()].every(
      ({ partition, position }) => partition.fetch(position, 1) === undefined,
    )
    return this.#assigning === 0 && this.#busy.size === 0 && this.#drained === undefined && read
  }
}
