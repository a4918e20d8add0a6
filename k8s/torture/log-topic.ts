import { setTimeout as sleep } from 'node:timers/promises'
import { account, poison } from './events.ts'
import { filled, published, refusedUnchanged, type Scenario } from './log-scenario.ts'
import { until } from './log-world.ts'

/** More than any partition had before. */
const LONGER = 2_000

/** What may happen to the topic. */
export const topicScenarios: readonly Scenario[] = [
  {
    name: 'log: retention below the committed offset',
    expected: 'the worker goes on; what was folded stays in the view, and no gap is said',
    async play(world, random) {
      await filled(world, random)
      const ends = new Map([...(await world.bounds())].map(([partition, { end }]) => [partition, end]))
      await world.admin.truncate(world.topic, ends)
      await published(world, 300, random)
      await world.caughtUp()
      await world.stop()
      world.start()
      await published(world, 300, random)
      await world.caughtUp()
      const gaps = [...(await world.stored.gaps())].filter(([, gaps]) => gaps.length > 0)
      return [...(await world.differences()), ...gaps.map(([partition]) => `a gap is said of partition ${partition}`)]
    },
  },
  {
    name: 'log: retention beyond the committed offset, worker away',
    expected: 'the worker goes on and says exactly what was removed; the view is the fold of the rest',
    async play(world, random) {
      const worker = await filled(world, random)
      await world.publish([poison('handler', account(random), random)])
      await world.caughtUp()
      await world.stop()
      await published(world, 600, random)
      await world.remember()
      const committed = await world.committed()
      const cuts = new Map(
        [...(await world.bounds())].map(([partition, { end }]) => [
          partition,
          Math.floor(((committed.get(partition) ?? 0) + end) / 2),
        ]),
      )
      await world.admin.truncate(world.topic, cuts)
      for (const [partition, cut] of cuts) world.lost(partition, committed.get(partition) ?? 0, cut)
      const next = world.start()
      await world.caughtUp()
      const said = world.said(next)
      const gaps = await world.stored.gaps()
      const differences = [...(await world.differences())]
      for (const [partition, cut] of cuts) {
        const from = committed.get(partition) ?? 0
        if (String(gaps.get(partition)) !== String([from, cut]))
          differences.push(`partition ${partition}: the gap ${from} to ${cut} is recorded as ${gaps.get(partition)}`)
        if (!said.includes(`retention removed ${cut - from} offset(s) of ${world.topic}/${partition} `))
          differences.push(`${worker.name} does not say what retention removed of partition ${partition}`)
      }
      return differences
    },
  },
  ...(['stopped', 'running'] as const).flatMap((when): readonly Scenario[] => [
    {
      name: `log: topic re-created empty, worker ${when}`,
      expected: 'the worker refuses to run, with LOG_REPLACED; nothing is overwritten',
      async play(world, random) {
        const worker = await filled(world, random)
        if (when === 'stopped') await world.stop()
        return refusedUnchanged(world, worker, 'LOG_REPLACED', async () => {
          await world.recreateTopic()
          if (when === 'stopped') return world.start()
        })
      },
    },
    {
      name: `log: topic re-created and longer than before, worker ${when}`,
      expected: 'the worker refuses to run, with LOG_REPLACED; nothing is overwritten',
      async play(world, random) {
        const worker = await filled(world, random)
        if (when === 'stopped') await world.stop()
        return refusedUnchanged(world, worker, 'LOG_REPLACED', async () => {
          await world.recreateTopic()
          await published(world, LONGER, random)
          if (when === 'stopped') return world.start()
        })
      },
    },
    {
      name: `log: partitions added, worker ${when}`,
      expected: 'the worker refuses to run, with PARTITIONS_CHANGED; nothing is overwritten',
      async play(world, random) {
        const worker = await filled(world, random)
        if (when === 'stopped') await world.stop()
        return refusedUnchanged(world, worker, 'PARTITIONS_CHANGED', async () => {
          await world.admin.addPartitions(world.topic, 9)
          if (when === 'stopped') return world.start()
        })
      },
    },
  ]),
  {
    name: 'log: topic re-created and longer than before while the worker sleeps',
    expected: 'the worker, which has seen nothing of it, refuses to go on, with LOG_REPLACED; nothing is overwritten',
    async play(world, random) {
      const worker = await filled(world, random)
      return refusedUnchanged(world, worker, 'LOG_REPLACED', async () => {
        worker.signal('SIGSTOP')
        try {
          await world.recreateTopic()
          await published(world, LONGER, random)
          const ends = [...(await world.bounds()).values()].map(({ end }) => end)
          await until('every partition is longer', async () => ends.every((end) => end > 150))
          await sleep(200)
        } finally {
          worker.signal('SIGCONT')
        }
      })
    },
  },
]
