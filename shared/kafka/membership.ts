import kafkajs from 'kafkajs'
import type { Broker } from 'kafkajs/src/cluster/index.js'
import { TidemarkError } from '../errors.ts'
import { type Source, sourceText } from '../events/position.ts'
import { assign } from './assignor.ts'
import { heard, inTime, type KafkaConnection } from './connection.ts'
import { failureType, isLost } from './failure.ts'
import { introduced, introduction } from './introduction.ts'
import { commitOf } from './offsets.ts'

const { MemberAssignment } = kafkajs.AssignerProtocol

const PROTOCOL = 'tidemark-sticky'
/** What the leader tells a member that writes into another view than its own. */
const OTHER_VIEW = Buffer.from('other view')
const REFUSAL = MemberAssignment.encode({ version: 0, assignment: {}, userData: OTHER_VIEW })

/** One member's place in one generation of its group: who may commit, and for what. */
export interface Place {
  readonly generation: number
  readonly memberId: string
  readonly leads: boolean
  readonly sources: readonly Source[]
  /** Those of them that were its own in the generation right before, as `carts/3`. */
  readonly kept: ReadonlySet<string>
}

/**
 * What a group's coordinator knows of this member: Kafka's classic group protocol, request by request. Nothing is repeated or
 * decided here; errors are kafkajs' own.
 */
export class Membership {
  readonly #connection: KafkaConnection
  readonly group: string
  readonly #topics: readonly string[]
  readonly #view: () => string | undefined
  #memberId = ''
  /** Kept from request to request; looked up again after any failure but a no of the coordinator itself. */
  #coordinator: Broker | undefined
  #last: { readonly generation: number; readonly sources: readonly Source[] } = { generation: -1, sources: [] }

  /** `view`: names what the group writes into, the same for all its members; undefined where that is not known. */
  constructor(
    connection: KafkaConnection,
    group: string,
    topics: readonly string[],
    view: () => string | undefined = () => undefined,
  ) {
    this.#connection = connection
    this.group = group
    this.#topics = topics
    this.#view = view
  }

  /** Is this another view than the one this member writes into? Who does not say is of an older release, and is believed. */
  isOther(view: string | undefined): boolean {
    const own = this.#view()
    return own !== undefined && view !== undefined && view !== own
  }

  /**
   * Joins, or joins again; resolves when all members have, or the rebalance timeout is over. A failure may be repeated as it is, but for
   * GROUP_SHARED: the group's leader writes into another view. Two views that share a log would each lack what the other has.
   */
  async join(): Promise<Place> {
    const { sessionTimeoutMs: sessionTimeout, rebalanceTimeoutMs: rebalanceTimeout } = this.#connection.settings
    try {
      await this.#connection.refresh(this.#topics)
      const groupProtocols = [
        { name: PROTOCOL, metadata: introduction(this.#topics, { view: this.#view(), ...this.#last }) },
      ]
      const joined = await this.#ask((coordinator) =>
        coordinator.joinGroup({
          groupId: this.group,
          sessionTimeout,
          rebalanceTimeout,
          memberId: this.#memberId,
          groupProtocols,
        }),
      )
      this.#memberId = joined.memberId
      const leads = joined.leaderId === joined.memberId
      const groupAssignment = leads ? await this.#assignment(joined.members) : []
      const { memberAssignment } = await this.#ask((coordinator) =>
        coordinator.syncGroup({
          groupId: this.group,
          generationId: joined.generationId,
          memberId: joined.memberId,
          groupAssignment,
        }),
      )
      const sources = this.#decoded(memberAssignment)
      const follows = this.#last.generation + 1 === joined.generationId
      const before = new Set(follows ? this.#last.sources.map(sourceText) : [])
      const kept = new Set(names(sources).filter((name) => before.has(name)))
      this.#last = { generation: joined.generationId, sources }
      return { generation: joined.generationId, memberId: joined.memberId, leads, sources, kept }
    } catch (error) {
      if (isLost(error)) this.forget()
      throw error
    }
  }

  /**
   * Says "I am here". Rejects with REBALANCE_IN_PROGRESS when a generation is about to end; the member counts as alive all the
   * same. Takes a third of the session at most: on a dead socket there is time for another try on a new one.
   */
  async heartbeat({ generation, memberId }: Place): Promise<void> {
    await this.#ask(
      (coordinator) => coordinator.heartbeat({ groupId: this.group, groupGenerationId: generation, memberId }),
      this.#connection.settings.sessionTimeoutMs / 3,
    )
  }

  /** Fenced by Kafka by member and generation only: that the partitions are this member's own must be seen to before. */
  async commit(
    { generation, memberId }: Place,
    offsets: readonly { readonly source: Source; readonly next: number }[],
  ): Promise<void> {
    const topics = Map.groupBy(offsets, ({ source }) => source.topic)
    await this.#ask((coordinator) =>
      coordinator.offsetCommit({
        groupId: this.group,
        groupGenerationId: generation,
        memberId,
        topics: [...topics].map(([topic, own]) => ({
          topic,
          partitions: own.map(({ source: { partition }, next }) => commitOf(partition, { next, view: this.#view() })),
        })),
      }),
    )
  }

  /** Gives the place up at once, instead of when the session times out. */
  async leave(): Promise<void> {
    if (this.#memberId === '') return
    const memberId = this.#memberId
    this.forget()
    await this.#ask((coordinator) => coordinator.leaveGroup({ groupId: this.group, memberId }))
  }

  /** `ms`: for the answer, and as much for finding out whom to ask where that is not known; without it each request's own. */
  async #ask<T>(question: (coordinator: Broker) => Promise<T>, ms?: number): Promise<T> {
    this.#coordinator ??= await inTime(ms, this.#connection.coordinator(this.group))
    const coordinator = this.#coordinator
    try {
      return await heard(coordinator, inTime(ms, question(coordinator)))
    } catch (error) {
      if (!isLost(error) && failureType(error) !== 'REBALANCE_IN_PROGRESS') this.#coordinator = undefined
      throw error
    }
  }

  /** The coordinator does not know this member any more: the next join is a newcomer's, which still says what it had. */
  forget(): void {
    this.#memberId = ''
  }

  /** Whether topics have other partitions than they had in this generation, in which case its leader should join again. */
  async grown(known: ReadonlyMap<string, number>): Promise<boolean> {
    await this.#connection.know(this.#topics)
    return this.#topics.some((topic) => this.#connection.partitions(topic).length !== known.get(topic))
  }

  partitionCounts(): ReadonlyMap<string, number> {
    return new Map(this.#topics.map((topic) => [topic, this.#connection.partitions(topic).length]))
  }

  /** The leader's duty: who reads what. It looks up the partitions anew, because a rebalance may be about new ones. */
  async #assignment(members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]) {
    const candidates = members.map(({ memberId, memberMetadata }) => introduced(memberId, memberMetadata))
    const own = candidates.filter(({ view }) => !this.isOther(view))
    const topics = [...new Set(own.flatMap((member) => member.topics))]
    await this.#connection.refresh(topics)
    const shares = assign(own, new Map(topics.map((topic) => [topic, this.#connection.partitions(topic)])))
    const others = candidates.filter(({ view }) => this.isOther(view))
    const refused = others.map(({ id }) => ({ memberId: id, memberAssignment: REFUSAL }))
    const assigned = [...shares].map(([memberId, sources]) => {
      const assignment = Object.fromEntries(
        [...Map.groupBy(sources, ({ topic }) => topic)].map(([topic, own]) => [
          topic,
          own.map(({ partition }) => partition),
        ]),
      )
      return {
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
      }
    })
    return [...assigned, ...refused]
  }

  #decoded(bytes: Buffer): Source[] {
    const { assignment = {}, userData } = (bytes.length > 0 && MemberAssignment.decode(bytes)) || {}
    if (userData?.equals(OTHER_VIEW))
      throw new TidemarkError(
        'GROUP_SHARED',
        `consumer group ${this.group}: its other members write into another keyspace or table than this one`,
      )
    return Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
  }
}

/** For the log: partitions as text. */
export const names = (sources: readonly Source[]) => sources.map(sourceText)
