import { expect, test } from 'vitest'
import { sourceText } from '../../events/position.ts'
import { code, events, type LogCluster, numbers, sources, suite, unique } from './log-scene.ts'

/** What every `EventSource` promises. */
export function eventSourceContract(name: string, makeCluster: () => Promise<LogCluster>): void {
  suite(`${name} is an EventSource`, makeCluster, (scene) => {
    test('delivers everything once, each partition in order, and goes on with what comes later', async () => {
      const topic = await scene.topic(3)
      await scene.fill(topic, 3, 50)
      const { listener } = scene.member(unique('group'), topic)
      await listener.until(() => sources(topic, 3).every((source) => events(listener.values(source)).length === 50))
      await scene.fill(topic, 3, 50, 50)
      await listener.until(() => sources(topic, 3).every((source) => events(listener.values(source)).length >= 100))
      for (const source of sources(topic, 3)) {
        expect(events(listener.values(source))).toEqual(numbers(0, 100))
        expect(listener.offsets(source)).toEqual(numbers(0, listener.offsets(source).length))
      }
      for (const { records, next, end } of listener.batches) {
        expect(next).toBeGreaterThan(records.at(-1)?.offset ?? -1)
        expect(end).toBeGreaterThanOrEqual(next)
      }
    })

    test('says what it will read before it delivers, and waits until that is taken', async () => {
      const topic = await scene.topic(2)
      await scene.fill(topic, 2, 5)
      const gate = scene.gate()
      const { listener } = scene.member(unique('group'), topic, ({ on }) => {
        on.assigned = () => gate.promise
      })
      await listener.until(() => listener.generations.length > 0)
      const ends = await scene.ends(topic)
      const told = [...listener.generations[0]!].sort((a, b) => a.source.partition - b.source.partition)
      expect(told).toEqual(
        sources(topic, 2).map((source) => ({
          source,
          start: 0,
          committed: undefined,
          logStart: 0,
          kept: false,
          end: ends.get(sourceText(source)),
        })),
      )
      expect(listener.batches).toEqual([])
      gate.resolve()
      await listener.until(() => listener.count > 0)
      expect(listener.steps.slice(0, 2)).toEqual(['assigned', 'ready'])
    })

    test('handles one batch of a partition at a time, and a stuck partition holds up no other', async () => {
      const topic = await scene.topic(3)
      await scene.fill(topic, 3, 5)
      const gate = scene.gate()
      const running = new Map<number, number>()
      let most = 0
      const { listener } = scene.member(unique('group'), topic, ({ on }) => {
        on.records = async ({ source: { partition } }) => {
          running.set(partition, (running.get(partition) ?? 0) + 1)
          most = Math.max(most, running.get(partition)!)
          if (partition === 1) await gate.promise
          running.set(partition, running.get(partition)! - 1)
        }
      })
      await listener.until(() => listener.batches.some(({ source }) => source.partition === 1))
      for (const round of numbers(1, 6)) {
        await scene.fill(topic, 3, 5, round * 5)
        await listener.until(() =>
          [0, 2].every((partition) => events(listener.values({ topic, partition })).length === (round + 1) * 5),
        )
      }
      const stuck = listener.batches.filter(({ source }) => source.partition === 1).length
      expect(stuck).toBe(1)
      gate.resolve()
      await listener.until(() => events(listener.values({ topic, partition: 1 })).length === 30)
      expect(events(listener.values({ topic, partition: 1 }))).toEqual(numbers(0, 30))
      expect(most).toBe(1)
    })

    test('starts where the group committed, and at the log start where it did not', async () => {
      const topic = await scene.topic(2)
      const group = unique('group')
      await scene.fill(topic, 2, 20)
      const before = scene.member(group, topic)
      await before.listener.until(() =>
        sources(topic, 2).every((source) => events(before.listener.values(source)).length === 20),
      )
      await before.source.commit({ topic, partition: 0 }, 7)
      await before.source.stop()
      const after = scene.member(group, topic)
      await after.listener.until(() =>
        sources(topic, 2).every((source) => events(after.listener.values(source)).includes(19)),
      )
      expect(after.listener.offsets({ topic, partition: 0 })[0]).toBe(7)
      expect(after.listener.offsets({ topic, partition: 1 })[0]).toBe(0)
      const told = new Map(
        after.listener.generations
          .at(-1)!
          .map(({ source, start, committed }) => [source.partition, [start, committed]]),
      )
      expect(told).toEqual(
        new Map([
          [0, [7, 7]],
          [1, [0, undefined]],
        ]),
      )
    })

    test('a commit made while draining for a newcomer is where the newcomer starts', async () => {
      const topic = await scene.topic(4)
      const group = unique('group')
      await scene.fill(topic, 4, 10)
      const first = scene.member(group, topic)
      first.listener.on.drain = async () => {
        await Promise.all(
          sources(topic, 4).map((source) =>
            first.source.commit(source, first.listener.handled.get(sourceText(source)) ?? 0),
          ),
        )
      }
      await first.listener.until(() =>
        sources(topic, 4).every((source) => events(first.listener.values(source)).length === 10),
      )
      const second = scene.member(group, topic)
      await second.listener.until(() => second.listener.owned.length === 2)
      await first.listener.until(() => first.listener.owned.length === 2)
      expect([...first.listener.owned, ...second.listener.owned].sort()).toEqual(sources(topic, 4).map(sourceText))
      await scene.fill(topic, 4, 10, 10)
      const all = () =>
        sources(topic, 4).map((source) =>
          [...events(first.listener.values(source)), ...events(second.listener.values(source))].sort((a, b) => a - b),
        )
      await Promise.race(
        [first, second].map(({ listener }) => listener.until(() => all().every((values) => values.length >= 20))),
      )
      for (const values of all()) expect(values).toEqual(numbers(0, 20))
    })

    test('the barrier: nothing of a revoked partition is delivered to the newcomer before the old owner has drained', async () => {
      const topic = await scene.topic(2)
      const group = unique('group')
      await scene.fill(topic, 2, 3)
      const first = scene.member(group, topic)
      const gate = scene.gate()
      first.listener.on.drain = () => gate.promise
      await first.listener.until(() => first.listener.count >= 6)
      const second = scene.member(group, topic)
      await first.listener.until(() => first.listener.steps.includes('drain'))
      expect(second.listener.steps).toEqual([])
      const delivered = first.listener.count
      await scene.fill(topic, 2, 3, 3)
      expect(first.listener.count).toBe(delivered)
      gate.resolve()
      await second.listener.until(() => second.listener.owned.length === 1)
      expect(first.listener.steps.filter((step) => step === 'drain')).toHaveLength(1)
    })

    test('a member that stops hands its partitions over, with nothing lost', async () => {
      const topic = await scene.topic(3)
      const group = unique('group')
      const first = scene.member(group, topic)
      const second = scene.member(group, topic)
      await Promise.all(
        [first, second].map(({ listener }) =>
          listener.until(() => listener.owned.length > 0 && listener.owned.length < 3),
        ),
      )
      await scene.fill(topic, 3, 20)
      const left = first.listener.owned
      await first.listener.until(() =>
        left.every((name) => first.listener.batches.some(({ source }) => sourceText(source) === name)),
      )
      await first.source.stop()
      expect(first.listener.outcome).toEqual({})
      expect(first.listener.steps).toContain('drained')
      await second.listener.owns(sources(topic, 3))
      await second.listener.until(() =>
        sources(topic, 3).every((source) => events(second.listener.values(source)).includes(19)),
      )
      // Nothing was committed, so the newcomer reads all of what it took over.
      for (const source of sources(topic, 3))
        expect([...new Set(events(second.listener.values(source)))].sort((a, b) => a - b)).toEqual(numbers(0, 20))
    })

    test('delivers again from where it was rewound to', async () => {
      const topic = await scene.topic(1)
      const [source] = sources(topic, 1)
      await scene.fill(topic, 1, 30)
      const member = scene.member(unique('group'), topic)
      await member.listener.until(() => events(member.listener.values(source!)).length === 30)
      const before = member.listener.count
      member.source.rewind(source!, 11)
      await scene.fill(topic, 1, 1, 30)
      await member.listener.until(
        () => events(member.listener.values(source!)).at(-1) === 30 && member.listener.count > before + 1,
      )
      expect(member.listener.offsets(source!).slice(before)).toEqual(numbers(11, before + 1))
    })

    test('stop drains, takes the commits of the drain, and resolves twice', async () => {
      const topic = await scene.topic(1)
      const [source] = sources(topic, 1)
      const group = unique('group')
      await scene.fill(topic, 1, 5)
      const member = scene.member(group, topic)
      await member.listener.until(() => events(member.listener.values(source!)).length === 5)
      member.listener.on.drain = () => member.source.commit(source!, member.listener.handled.get(sourceText(source!))!)
      await Promise.all([member.source.stop(), member.source.stop()])
      await member.listener.until(() => member.listener.outcome !== undefined)
      expect(member.listener.outcome).toEqual({})
      expect(await scene.cluster.log.committed(group, topic)).toEqual(
        new Map([[0, (await scene.ends(topic)).get(sourceText(source!))]]),
      )
    })

    test('stop of a member that never ran resolves', async () => {
      const topic = await scene.topic(1)
      await scene.cluster.source(unique('group'), [topic]).stop()
    })

    test('a commit for a partition that is not its own resolves and changes nothing', async () => {
      const topic = await scene.topic(1)
      const group = unique('group')
      await scene.fill(topic, 1, 3)
      const owner = scene.member(group, topic)
      await owner.listener.owns(sources(topic, 1))
      await owner.source.commit({ topic, partition: 0 }, 2)
      const other = scene.member(group, topic)
      await other.listener.until(() => other.listener.generations.length > 0)
      await Promise.race(
        [owner, other].map(({ listener }) =>
          listener.until(() => owner.listener.owned.length + other.listener.owned.length === 1),
        ),
      )
      const stranger = owner.listener.owned.length === 0 ? owner : other
      await stranger.source.commit({ topic, partition: 0 }, 1)
      expect(await scene.cluster.log.committed(group, topic)).toEqual(new Map([[0, 2]]))
    })

    test.each(['records', 'assigned'] as const)(
      'a listener whose `%s` rejects ends the source with that error',
      async (what) => {
        const topic = await scene.topic(1)
        await scene.fill(topic, 1, 1)
        const { listener } = scene.member(unique('group'), topic, ({ on }) => {
          on[what] = async () => {
            throw new Error('the listener gives up')
          }
        })
        await listener.until(() => listener.outcome !== undefined)
        expect(String(listener.outcome?.error)).toContain('the listener gives up')
      },
    )

    test('reads a topic that does not exist: TOPIC_MISSING', async () => {
      const { listener } = scene.member(unique('group'), unique('missing'))
      await listener.until(() => listener.outcome !== undefined)
      expect(await code(Promise.reject(listener.outcome?.error))).toBe('TOPIC_MISSING')
    })
  })
}
