import { expect, test } from 'vitest'
import { fleet, predicted } from './cost.ts'

test('workers and nodes follow from what an event costs', () => {
  // 10 s of worker and 4 s of Cassandra per million events; a worker does 70,000/s, a node of 8 cores at half 333,333/s with three replicas.
  const cost = { worker: 10, cassandra: 4 }
  expect(fleet(10_000, cost)).toEqual({ workers: 1, cores: 0.1, nodes: 3 })
  expect(fleet(1_000_000, cost)).toEqual({ workers: 15, cores: 10, nodes: 3 })
  expect(fleet(10_000_000, cost)).toEqual({ workers: 143, cores: 100, nodes: 30 })
})

test('one thread is the limit where the machine has cores to spare', () => {
  expect(predicted({ worker: 10, cassandra: 0, kafka: 0 })).toBe(100_000)
})
