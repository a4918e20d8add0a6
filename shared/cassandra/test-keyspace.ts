import { createBookkeeping } from './bookkeeping.ts'
import { type ConnectOptions, connect } from './client.ts'
import { createKeyspace } from './schema.ts'
import type { Session } from './session.ts'

/** A keyspace that belongs to one test file, in the Cassandra that CASSANDRA_CONTACT_POINTS names. */
export interface TestKeyspace extends AsyncDisposable {
  readonly session: Session
}

export function contactPoints(): readonly string[] {
  return (process.env.CASSANDRA_CONTACT_POINTS ?? '127.0.0.1:9042').split(',')
}

/** Creates it with the tables beside the views; disposing of it drops it and closes the session. */
export async function testKeyspace(options: ConnectOptions = {}): Promise<TestKeyspace> {
  const keyspace = `t_${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
  const localDataCenter = process.env.CASSANDRA_LOCAL_DATACENTER ?? 'dc1'
  const session = await connect({ contactPoints: contactPoints(), localDataCenter, keyspace }, options)
  await createKeyspace(session)
  await createBookkeeping(session)
  return {
    session,
    async [Symbol.asyncDispose]() {
      await session.define(`DROP KEYSPACE ${keyspace}`, `dropping keyspace ${keyspace}`)
      await session.close()
    },
  }
}
