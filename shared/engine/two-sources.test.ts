import { expect, test } from 'vitest'
import { encodeStructured } from '../events/encode.ts'
import { arena } from '../testing/arena.ts'

/** An event about `a` in a partition that its key does not choose: what a projection that is keyed by something else gets. */
function astray(world: ReturnType<typeof arena>, partition: number, id: string) {
  const { value } = encodeStructured({
    specversion: '1.0',
    id,
    source: 'test',
    type: 'Added',
    subject: 'a',
    time: '2026-01-01T00:00:00Z',
    data: { id: 'a', by: 1 },
  })
  world.kafka.append({ topic: 'operations', partition }, [
    { key: Buffer.from(`k${partition}`), value: Buffer.from(value!) },
  ])
}

test.each([
  ['in the sample', { first: 100, oneIn: 1 }],
  ['outside of the sample', { first: 0, oneIn: 1e9 }],
])(
  'a row that two partitions of one worker feed is found with its first event from the second: %s',
  async (_, sampleReads) => {
    const world = arena({ settings: { sampleReads } })
    for (let event = 0; event < 20; event++) astray(world, event % 2, `e${event}`)
    world.start()
    await world.caughtUp()
    expect(world.letters.length).toBeGreaterThan(0)
    expect(new Set(world.letters.map(({ code }) => code))).toEqual(new Set(['ROW_TWO_SOURCES']))
    await Promise.all(world.workers.map(({ projector }) => projector.stop('test')))
  },
)

test('a row that partitions of two workers feed is found once it was written', async () => {
  const world = arena({ partitions: 2 })
  world.start()
  world.start()
  for (let round = 0; round < 4; round++) {
    astray(world, 0, `a${round}`)
    astray(world, 1, `b${round}`)
    await world.caughtUp()
  }
  expect(new Set(world.letters.map(({ code }) => code))).toEqual(new Set(['ROW_TWO_SOURCES']))
  await Promise.all(world.workers.map(({ projector }) => projector.stop('test')))
})
