import { shelves, single } from '../engine/contracts/views.ts'
import type { RowWrite } from '../engine/ports.ts'
import { rowShape } from '../projection/row.ts'
import { createTables } from './schema.ts'
import { testKeyspace } from './test-keyspace.ts'
import { CassandraView } from './view-store.ts'
import { viewTable } from './view-table.ts'

// Prints rows per second and the client's CPU for each way of grouping; `node shared/cassandra/writer.bench.ts [rows]`.
const rows = Number(process.argv[2] ?? 60_000)
const CALL = 5_000

await using keyspace = await testKeyspace()
const { session } = keyspace
await createTables(session, [viewTable(single), viewTable(shelves)])

const shape = rowShape(shelves.view)
const note = 'n'.repeat(120)
const one = (index: number, position: number): RowWrite => ({
  id: `row-${index}`,
  key: { id: `row-${index}` },
  row: { id: `row-${index}`, title: `title ${position}`, note, tags: null },
  cleared: [],
  position,
  source: 'bench/0',
})
const many =
  (perPartition: number) =>
  (index: number, position: number): RowWrite => {
    const key = { room: `room-${Math.floor(index / perPartition)}`, shelf: 1, place: index % perPartition, part: 'a' }
    return {
      id: shape.id(key),
      key,
      row: { ...key, title: `title ${position}`, note, count: 1n },
      cleared: [],
      position,
      source: 'bench/0',
    }
  }

await measure('warming up', one, new CassandraView(session, single))
for (const partitionsPerBatch of [1, 5, 10])
  await measure(
    `one row a partition, ${partitionsPerBatch} partitions a batch`,
    one,
    new CassandraView(session, single, { partitionsPerBatch }),
  )
for (const perPartition of [5, 20])
  await measure(
    `${perPartition} rows a partition`,
    many(perPartition),
    new CassandraView(session, shelves, { partitionsPerBatch: 1 }),
  )

async function measure(
  name: string,
  make: (index: number, position: number) => RowWrite,
  view: CassandraView,
): Promise<void> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  for (let from = 0; from < rows; from += CALL) {
    await view.write(
      Array.from({ length: Math.min(CALL, rows - from) }, (_, index) => make(from + index, from + index)),
    )
  }
  const [milliseconds, used] = [performance.now() - start, process.cpuUsage(cpu)]
  console.log(
    `${name.padEnd(45)} ${Math.round((rows / milliseconds) * 1000)
      .toString()
      .padStart(8)} rows/s  ${((used.user + used.system) / rows).toFixed(1).padStart(5)} µs of client CPU a row`,
  )
}
