export { checkBookkeeping, createBookkeeping, type Version } from './bookkeeping.ts'
export { type CassandraSettings, type ConnectOptions, connect } from './client.ts'
export { CassandraDeadLetters } from './dead-letter-store.ts'
export { CassandraProgress } from './progress-store.ts'
export {
  checkTables,
  createKeyspace,
  createTables,
  dropTable,
  type KeyspaceOptions,
  type TableDefinition,
} from './schema.ts'
export type { Session, SessionOptions } from './session.ts'
export { CassandraVersions } from './version-store.ts'
export { createView, lostVersions } from './view-creation.ts'
export { CassandraViewReader } from './view-reader.ts'
export { CassandraView, type ViewOptions } from './view-store.ts'
export { viewTable } from './view-table.ts'
