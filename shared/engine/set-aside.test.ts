import { expect, test } from 'vitest'
import { SetAside } from './set-aside.ts'

const nothing = { parked: new Map(), resolved: new Set<never>(), skipped: new Set<string>() }

test('what is skipped is learned with what waits: a record without a key is retried long after its partition was taken over', () => {
  const setAside = new SetAside({ topic: 't', partition: 0 }, nothing)
  setAside.learn({ ...nothing, parked: new Map([['row:b', 7]]), skipped: new Set(['5/row:a']) })
  expect([setAside.skipped('row:a', 5), setAside.skipped('row:a', 6), setAside.since('row:b')]).toEqual([
    true,
    false,
    7,
  ])
})
