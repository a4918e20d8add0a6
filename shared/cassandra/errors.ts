import { errors, types } from 'cassandra-driver'
import { TidemarkError } from '../errors.ts'

const { responseErrorCodes: codes } = types

/** InvalidRequest answers that are about the size or content of what was sent; see `invalid`. */
const REFUSALS =
  /too large|too big|oversized|longer than|may not be empty|guardrail|exceeds? .*(size|length|threshold|limit)/i

/**
 * What a driver error means. `about` says what was being done to which table.
 *
 * - CASSANDRA_UNAVAILABLE (transient): trying again may help, so nothing is given up.
 * - CASSANDRA_SCHEMA (transient): the tables are not what we think. Held and not poison, or one dropped table would make
 *   every event of a topic a dead letter.
 * - WRITE_REFUSED (poison): Cassandra will never take this write.
 */
export function classified(error: unknown, about: string): TidemarkError {
  if (error instanceof TidemarkError) return error
  const cause = causeOf(error)
  if (cause instanceof errors.AuthenticationError) return credentials(cause, about)
  if (cause instanceof errors.ResponseError) return answered(cause, about)
  // Left: OperationTimedOutError (may or may not be written: repeating it is a no-op), BusyConnectionError (more than 2048
  // in flight: the limiter is set too high), socket errors, a client that is shutting down, and the driver's own bugs,
  // where holding loudly does less harm than a dead letter.
  return unavailable(cause, about)
}

/** Where every node was asked and failed, what the first one said names the cause best. */
export function causeOf(error: unknown): unknown {
  return error instanceof errors.NoHostAvailableError ? (Object.values(error.innerErrors)[0] ?? error) : error
}

function answered(error: errors.ResponseError, about: string): TidemarkError {
  switch (error.code) {
    case codes.invalid:
      return invalid(error, about)
    // The statement is ours and was prepared once: it fails only where the schema differs from what it was made for.
    case codes.syntaxError:
    case codes.configError:
    case codes.alreadyExists:
    // The driver prepares again by itself; this comes through only where that failed too, as it does when the table is gone.
    case codes.unprepared:
      return schema(error, about)
    // A role without rights, or a password changed under us: a person grants it again, and work goes on.
    case codes.badCredentials:
    case codes.unauthorized:
      return credentials(error, about)
    // Too few replicas alive or in time, a node overloaded, starting or truncating, a replica that failed (disk, tombstones),
    // a bug in the server, a node of another protocol in the middle of an upgrade: all may pass.
    default:
      return unavailable(error, about)
  }
}

/**
 * Only what is known to be about this one write is refused; anything else that Cassandra calls invalid is held. Our bytes
 * always fit the declared types, so another complaint means that the table is not the declared one.
 */
function invalid(error: errors.ResponseError, about: string): TidemarkError {
  if (REFUSALS.test(error.message))
    return new TidemarkError('WRITE_REFUSED', `${about} was refused by Cassandra`, { cause: error })
  return schema(error, about)
}

function schema(cause: unknown, about: string): TidemarkError {
  return new TidemarkError('CASSANDRA_SCHEMA', `${about} does not fit the tables in Cassandra`, { cause })
}

function unavailable(cause: unknown, about: string): TidemarkError {
  return new TidemarkError('CASSANDRA_UNAVAILABLE', `${about} failed`, { cause })
}

function credentials(cause: unknown, about: string): TidemarkError {
  const remedy =
    'Check CASSANDRA_USERNAME and CASSANDRA_PASSWORD, and that the role may select and modify in the keyspace (and create in it for `tidemark init`).'
  return new TidemarkError('CASSANDRA_UNAVAILABLE', `${about} failed: Cassandra does not accept the credentials`, {
    cause,
    remedy,
  })
}
