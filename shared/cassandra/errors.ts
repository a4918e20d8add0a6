import { errors, types } from 'cassandra-driver'
import { TidemarkError } from '../errors.ts'

const { responseErrorCodes: codes } = types

/** InvalidRequest answers that are about the size or content of the one write that was sent; see `invalid`. A TTL is ours. */
const REFUSALS = /^(?!ttl\b).*(too large|too big|oversized|longer than|may not be empty|cannot index value of size)/i

/** What an operator has forbidden, by its name in cassandra.yaml; said the same since Cassandra 4.1. */
const GUARDRAIL = /\bGuardrail (\w+) violated/

/** The guardrails that are about one value. All others (a disk that is full, timestamps, consistency) would refuse every event. */
const VALUE_GUARDRAILS = new Set([
  'column_value_size',
  'collection_size',
  'items_per_collection',
  'sai_string_term_size',
  'sai_frozen_term_size',
])

/**
 * What a driver error means. `about` says what was being done to which table.
 *
 * - CASSANDRA_UNAVAILABLE (transient): trying again may help, so nothing is given up.
 * - CASSANDRA_SCHEMA (transient): the tables are not what we think. Held and not poison, or one dropped table would make
 *   every event of a topic a dead letter.
 * - WRITE_REFUSED (poison): Cassandra will never take this write, and would take others.
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
  const [, guardrail] = GUARDRAIL.exec(error.message) ?? []
  if (guardrail === undefined ? REFUSALS.test(error.message) : VALUE_GUARDRAILS.has(guardrail))
    return new TidemarkError('WRITE_REFUSED', `${about} was refused by Cassandra`, { cause: error })
  return guardrail === undefined ? schema(error, about) : forbidden(guardrail, error, about)
}

function forbidden(guardrail: string, cause: unknown, about: string): TidemarkError {
  const remedy = `The guardrail ${guardrail} of Cassandra forbids it, whatever the event. ${remedyOf(guardrail)} Nothing is lost, the worker retries.`
  return new TidemarkError('CASSANDRA_UNAVAILABLE', `${about} failed: a guardrail of Cassandra forbids it`, {
    cause,
    remedy,
  })
}

function remedyOf(guardrail: string): string {
  if (guardrail.endsWith('disk_usage')) return 'Make room on the disks of the nodes, or add nodes.'
  if (guardrail.endsWith('timestamp'))
    return `Lift ${guardrail}_fail_threshold in cassandra.yaml: rows are stamped with their place in the log, from 14 November 2023 on, and not with the time.`
  return 'Lift it in cassandra.yaml (`nodetool getguardrailsconfig` shows what is set).'
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
