import { describe, isKind, TidemarkError } from '../errors.ts'

/** What retrying can't mend: permissions, protocol versions, settings the broker refuses. */
const FINAL = new Set([
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'UNSUPPORTED_VERSION',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'INCONSISTENT_GROUP_PROTOCOL',
  'GROUP_MAX_SIZE_REACHED',
  'INVALID_TOPIC_EXCEPTION',
  'KafkaJSSASLAuthenticationError',
  'KafkaJSNotImplemented',
  'KafkaJSServerDoesNotSupportApiKey',
  'KafkaJSNonRetriableError',
])

/** What Kafka refuses in a topic's settings. */
const REFUSED = new Set([
  'INVALID_REPLICATION_FACTOR',
  'INVALID_PARTITIONS',
  'INVALID_CONFIG',
  'INVALID_REQUEST',
  'POLICY_VIOLATION',
])

/** Kafka's name for an error (`REBALANCE_IN_PROGRESS`), else kafkajs' (`KafkaJSConnectionError`), else its class. Looks through kafkajs' wrappers. */
export function failureType(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('type' in error && typeof error.type === 'string') return error.type
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return failureType(error.errors[0])
  const wrapper = error.name === 'KafkaJSNumberOfRetriesExceeded' || error.name === 'KafkaJSNonRetriableError'
  return wrapper && error.cause instanceof Error ? failureType(error.cause) : error.name
}

/** Whether the world failed, so that trying again may help. A defect of a program (TypeError …) is not retried: a fresh process may mend it. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TidemarkError) return isKind(error, 'transient')
  if (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError
  )
    return false
  const type = failureType(error)
  return !FINAL.has(type) && !REFUSED.has(type)
}

/** What the rest of the system hears of a failure of Kafka's. */
export function asTidemark(error: unknown, what: string): unknown {
  if (error instanceof TidemarkError) return error
  const type = failureType(error)
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION')
    return new TidemarkError('TOPIC_MISSING', `${what}: the topic does not exist`, { cause: error })
  if (type.endsWith('AUTHORIZATION_FAILED'))
    return new TidemarkError('KAFKA_DENIED', `${what}: Kafka denies it (${type})`, { cause: error })
  if (type.includes('SASL') || type === 'KafkaJSSASLAuthenticationError')
    return new TidemarkError('KAFKA_DENIED', `${what}: Kafka refuses the credentials`, { cause: error })
  if (REFUSED.has(type))
    return new TidemarkError('CONFIG_INVALID', `${what}: Kafka refuses the settings (${type})`, { cause: error })
  if (isTransient(error))
    return new TidemarkError('KAFKA_UNAVAILABLE', `${what}: Kafka can't be reached or is not ready (${type})`, {
      cause: error,
    })
  return error
}

/** The member's place in the group is gone: the partitions are, or will be, somebody else's. */
export function isLost(error: unknown): boolean {
  return ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'].includes(failureType(error))
}

export const reason = describe
