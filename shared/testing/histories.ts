import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { DeadLetter } from '../engine/index.ts'
import { type arena, type Dislikes, operations } from './arena.ts'

export type World = ReturnType<typeof arena>

/** One thing that happens: to the log, to the workers, to the handlers, or by a person's decision about a dead letter. */
export const happening = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      type: fc.constantFrom('Added', 'Added', 'Noted', 'Noted', 'NoteCleared', 'Removed', 'Copied'),
      id: fc.nat(5),
      value: fc.nat(5),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('garbage' as const, 'keyless' as const, 'gap' as const),
      id: fc.nat(5),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('retry' as const, 'skip' as const), id: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('start', 'stop', 'settle', 'repair' as const), id: fc.nat(5) }),
  },
)

export type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

/**
 * Lets it all happen, until everything is in the view. Decisions are waited for, since what two owners make of one at the same
 * time is for the engine's own tests.
 */
export async function live(world: World, happenings: readonly Happening[], dislikes: Dislikes): Promise<void> {
  const { kafka, stores, workers, publish } = world
  const gone = new Set<unknown>()
  const notes = ['poison', 'fine', 'well', 'good', 'poison', 'ok']
  world.start()
  for (const one of happenings) {
    const partition = { topic: operations.name, partition: one.id % 3 }
    if (one.do === 'publish') {
      await publish(one.type as 'Added', { id: `r${one.id}`, by: one.value, note: notes[one.value], to: 'x' })
    } else if (one.do === 'garbage') {
      await kafka.publish(operations.name, [{ key: `r${one.id}`, value: '{', headers: {} }])
    } else if (one.do === 'keyless') kafka.append(partition, [{ value: Buffer.from('{') }])
    else if (one.do === 'gap') kafka.skip(partition, 2)
    else if (one.do === 'start') world.start()
    else if (one.do === 'repair') dislikes.note = undefined
    else if (one.do === 'stop') {
      const worker = workers.find((living) => !gone.has(living))
      if (!worker) continue
      gone.add(worker)
      await worker.projector.stop('test')
    } else if (one.do === 'settle') for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
    else {
      if (workers.every((worker) => gone.has(worker))) world.start()
      await kafka.settled()
      const letters = stores.deadLetters.letters.filter(({ state }) => state === 'parked')
      const letter = letters[one.id % Math.max(1, letters.length)]
      if (letter) await decide(world, one.do, letter)
    }
  }
  await world.finish()
}

async function decide(
  { stores }: World,
  action: 'retry' | 'skip',
  { source, scope, record }: DeadLetter,
): Promise<void> {
  const id = randomUUID()
  await stores.deadLetters.ask({ id, action, source, scope, offset: record.offset })
  while ((await stores.deadLetters.outcome(source, id)) === undefined) await turnOfTheLoop()
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
