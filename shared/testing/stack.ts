import { join } from 'node:path'
import { PortTaken, StackError } from '../../k8s/dev/errors.ts'
import { freePorts } from '../../k8s/dev/free-ports.ts'
import { dropLease, endWithUsers, isUnwanted, takeLease } from '../../k8s/dev/leases.ts'
import { down, up } from '../../k8s/dev/lifecycle.ts'
import { type Progress, showProgress } from '../../k8s/dev/progress.ts'
import { settingsOf } from '../../k8s/dev/record.ts'
import { addresses, type Settings } from '../../k8s/dev/settings.ts'

const PORTS = { KAFKA_PORT: 29_092, CQL_PORT: 29_042, STORAGE_PORT: 27_000, JMX_PORT: 27_199 }
const ROOT = join(import.meta.dirname, '..', '..')

/**
 * Vitest's global set-up for tests that talk to a real Kafka and Cassandra.
 *
 * Uses the servers that KAFKA_BROKERS and CASSANDRA_CONTACT_POINTS name, else the local stack (STACK_NAME and so on,
 * see k8s/dev). A stack that runs already is left running; one that had to be started is ended by the last test run
 * that uses it. Where there are no servers to be had the run fails and says why: tests are never skipped for it.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (namesServers(process.env)) return undefined
  const progress = showProgress()
  try {
    return await withStack(settingsOf(process.env, ROOT), progress)
  } catch (error) {
    // A stack of another checkout, or servers of somebody's own, have the usual ports: tests bring their own.
    if (!(error instanceof PortTaken) || process.env.STACK_NAME) throw unavailable(error)
    const env = { ...process.env, STACK_NAME: 'test', ...(await freePorts(PORTS)) }
    return await withStack(settingsOf(env, ROOT), progress).catch((fault) => {
      throw unavailable(fault)
    })
  }
}

function unavailable(error: unknown): unknown {
  return error instanceof StackError ? new Error(`tests on a real Kafka and Cassandra can't run: ${error}`) : error
}

/** Has the stack running, tells the tests where, and gives what ends it for this run. */
async function withStack(settings: Settings, progress: Progress): Promise<() => Promise<void>> {
  takeLease(settings.dir)
  const leave = async () => {
    dropLease(settings.dir)
    await down(settings, progress, { onlyIf: () => isUnwanted(settings.dir) })
    progress.close()
  }
  try {
    const stack = await up(settings, progress, AbortSignal.timeout(600_000))
    if (stack.started.length > 0) endWithUsers(settings.dir)
    Object.assign(process.env, addresses(stack.settings))
  } catch (error) {
    await leave()
    throw error
  }
  return leave
}

/** Whether the environment names servers of its own. Naming half of them is a mistake, not a wish for the other half. */
function namesServers({ KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS }: NodeJS.ProcessEnv): boolean {
  if (Boolean(KAFKA_BROKERS) !== Boolean(CASSANDRA_CONTACT_POINTS)) {
    throw new Error('KAFKA_BROKERS and CASSANDRA_CONTACT_POINTS go together: set both, or neither for the local stack')
  }
  return Boolean(KAFKA_BROKERS)
}
