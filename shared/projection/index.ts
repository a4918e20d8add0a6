/** The author's side, `import { … } from 'tidemark'`: everything a projection file needs, and nothing about Kafka or Cassandra. */
export { z } from 'zod'
export type { Event, LogRecord } from '../events/event.ts'
export { type Decoded, defineTopic, type EventOf, type OldEvent, type Topic } from '../events/topic.ts'
export { defineProjection, type Projection } from './projection.ts'
export { type Key, type Row, type Table, table, type Written } from './table.ts'
