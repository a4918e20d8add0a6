import { z } from 'zod'
import type { CassandraSettings } from '../shared/cassandra/client.ts'
import type { CassandraConfig, Config, SaslConfig } from '../shared/config.ts'
import { TidemarkError } from '../shared/errors.ts'
import type { KafkaSettings } from '../shared/kafka/settings.ts'
import type { Logger } from '../shared/observability/index.ts'

/** Kafka as the configuration names it. `clientId` is what brokers call this process in their logs and quotas. */
export function kafkaSettings({ kafka }: Pick<Config, 'kafka'>, clientId: string): KafkaSettings {
  const { brokers, tls, sasl, sessionTimeoutMs, drainDeadlineMs } = kafka
  return {
    brokers,
    clientId,
    ...(tls ? { ssl: tls } : {}),
    ...(sasl ? { sasl: saslOptions(sasl) } : {}),
    sessionTimeoutMs,
    rebalanceTimeoutMs: drainDeadlineMs,
  }
}

/** Cassandra as the configuration names it. */
export function cassandraSettings({
  contactPoints,
  localDatacenter,
  keyspace,
  tls,
  credentials,
}: CassandraConfig): CassandraSettings {
  return {
    contactPoints: contactPoints.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
    localDataCenter: localDatacenter,
    keyspace,
    ...(tls ? { tls } : {}),
    ...(credentials ?? {}),
  }
}

/** The Kafka room's messages as the process's logger takes them. */
export function kafkaLogger(log: Logger) {
  return {
    debug: (message: string, fields: object = {}) => log.debug(fields, message),
    info: (message: string, fields: object = {}) => log.info(fields, message),
    warn: (message: string, fields: object = {}) => log.warn(fields, message),
    error: (message: string, fields: object = {}) => log.error(fields, message),
  }
}

function saslOptions(sasl: SaslConfig): NonNullable<KafkaSettings['sasl']> {
  if (sasl.mechanism !== 'oauthbearer') return sasl
  return { mechanism: 'oauthbearer', oauthBearerProvider: tokens(sasl) }
}

const token = z.object({ access_token: z.string().min(1), expires_in: z.number().prefault(60) })

type OAuth = Extract<SaslConfig, { mechanism: 'oauthbearer' }>

/** Client-credentials tokens, fetched anew when four fifths of their life are over: each connection to a broker needs one. */
function tokens({ tokenEndpoint, clientId, clientSecret, scope }: OAuth): () => Promise<{ value: string }> {
  let current: Promise<{ value: string; until: number }> | undefined
  return async () => {
    const known = await current?.catch(() => undefined)
    if (known && Date.now() < known.until) return { value: known.value }
    current = fetched()
    return { value: (await current).value }
  }

  async function fetched(): Promise<{ value: string; until: number }> {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) })
    const authorization = `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`
    const unavailable = (cause: unknown) =>
      new TidemarkError('KAFKA_UNAVAILABLE', `no token from ${tokenEndpoint} (KAFKA_SASL_OAUTH_TOKEN_ENDPOINT)`, {
        cause,
      })
    const response = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { authorization },
      body,
      signal: AbortSignal.timeout(10_000),
    }).catch((cause) => {
      throw unavailable(cause)
    })
    if (!response.ok) throw unavailable(new Error(`it answered ${response.status}`))
    const answer = token.safeParse(await response.json().catch(() => undefined))
    if (!answer.success) throw unavailable(new Error('its answer has no access_token'))
    return { value: answer.data.access_token, until: Date.now() + 800 * answer.data.expires_in }
  }
}
