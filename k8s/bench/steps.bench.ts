import { createRequire } from 'node:module'
import { rowEncoder } from '../../shared/cassandra/row-encoder.ts'
import { Writer } from '../../shared/cassandra/writer.ts'
import { WorkingSet } from '../../shared/engine/working-set.ts'
import { decoder } from '../../shared/events/decode.ts'
import type { Event, LogRecord } from '../../shared/events/event.ts'
import { decodeRecordSet } from '../../shared/kafka/decoder.ts'
import { foldOf } from '../../shared/projection/fold.ts'
import type { Projection } from '../../shared/projection/projection.ts'
import { installModuleHooks } from '../../workers/module-hooks.ts'
import { cloudEvent, type Orders, unique, zipf } from './events.ts'

// What each step of a worker costs by itself, without servers: `node --expose-gc k8s/bench/steps.bench.ts [EVENTS] [w1|w2]`. The
// sum is less than a worker's CPU: sockets, promises, collecting garbage beside other work, and caches shared by all come on top.
const count = Number(process.argv[2] ?? 300_000)
const name = process.argv[3] === 'w1' ? 'eventRows' : 'orderState'
const ROUNDS = 3
const BATCH = 1_000

installModuleHooks()
const projection: Projection = (await import('./projections/orders.ts'))[name]
const fold = foldOf(projection)
const decode = decoder(projection.topics[0]!, fold.wanted)
const encoder = rowEncoder(projection, 'bench.view', 604_800)
const writer = new Writer({ write: async () => {}, replicas: () => 'all', replicatedEverywhere: true })
const orders: Orders = name === 'eventRows' ? unique : zipf(count, 100_000)
const fetched = await fetches()

let records: LogRecord[] = []
let events: Event[] = []
let keys: ReturnType<typeof fold.keys>[] = []
for (let round = 1; round <= ROUNDS; round++) {
  const print = round === ROUNDS ? console.log : () => {}
  print(`${projection.name}, ${count.toLocaleString('en')} events; µs an event, and bytes kept`)
  await step(print, 'decode record batches', async () => {
    records = []
    for (const bytes of fetched) records.push(...(await decodeRecordSet(bytes, 0)).records)
  })
  await step(print, '  (JSON.parse alone)', () => {
    for (const { value } of records) JSON.parse(String(value))
  })
  await step(print, 'open the envelope, check the schema', () => {
    events = records.map((record) => decode(record, 0) ?? lost())
  })
  await step(print, 'find the key', () => {
    keys = events.map((event) => fold.keys(event))
  })
  const rows = new WorkingSet(fold.shape, Number.MAX_SAFE_INTEGER)
  await step(print, 'look up or add the row', () => {
    for (const [one] of keys) if (one && !rows.get(one.id)) rows.add(one.id, one.key, undefined, 'bench/0')
  })
  await step(print, 'fold and keep', () => {
    for (let index = 0; index < count; index++) {
      const [key = lost()] = keys[index] ?? []
      const entry = rows.get(key.id) ?? lost()
      rows.change(entry, fold.apply(entry.row, key.key, events[index]!), index)
    }
  })
  let writes: ReturnType<WorkingSet['take']> = []
  await step(print, 'take for writing', () => {
    writes = rows.take('bench/0')
  })
  let mutations: ReturnType<typeof encoder.mutation>[] = []
  await step(print, 'encode', () => {
    mutations = writes.map((write) => encoder.mutation(write))
    for (const mutation of mutations) mutation.statements()
  })
  await step(print, 'cut into requests', () => {
    for (let from = 0; from < mutations.length; from += 20_000) writer.batches(mutations.slice(from, from + 20_000))
  })
  print(`${writes.length.toLocaleString('en')} rows written`)
  rows.written()
  records = []
  events = []
  keys = []
  writes = []
  mutations = []
  globalThis.gc?.()
  const held = process.memoryUsage().heapUsed
  const { size } = rows
  rows.clear()
  globalThis.gc?.()
  print(`a row in the working set: ${Math.round((held - process.memoryUsage().heapUsed) / size)} bytes of heap`)
}

async function step(print: (line: string) => void, title: string, work: () => void | Promise<void>): Promise<void> {
  globalThis.gc?.()
  const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  globalThis.gc?.()
  const kept = Math.max(0, process.memoryUsage().heapUsed - heap)
  print(
    `${title.padEnd(38)} ${((user + system) / count).toFixed(2).padStart(6)} ${Math.round(kept / count)
      .toString()
      .padStart(6)}`,
  )
}

/** The events as a broker would answer with them, by kafkajs' own encoder. */
async function fetches(): Promise<Buffer[]> {
  const require = createRequire(import.meta.url)
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js')
  const newRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js')
  const firstTimestamp = Date.UTC(2026, 0, 1)
  const batches: Buffer[] = []
  for (let from = 0; from < count; from += BATCH) {
    const made = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => {
      const { key, value } = cloudEvent(orders(from + index), from + index)
      return newRecord({ offsetDelta: index, timestampDelta: index, key, value })
    })
    const { buffer } = await RecordBatch({
      records: made,
      firstTimestamp,
      maxTimestamp: firstTimestamp,
      firstOffset: from,
    })
    batches.push(buffer)
  }
  return batches
}

function lost(): never {
  throw new Error('an event went missing')
}
