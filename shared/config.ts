import { z } from 'zod'
import { type Address, addressList, choice, file, flag, whole } from './config-formats.ts'
import { listed, TidemarkError } from './errors.ts'
import { nearest } from './nearest.ts'

/** PEM texts, read from the files the settings name; with none of them the system's authorities are trusted. */
export interface TlsConfig {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export type SaslConfig =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      readonly tokenEndpoint: string
      readonly clientId: string
      readonly clientSecret: string
      readonly scope?: string
    }

export interface KafkaConfig {
  /** `host:port`. */
  readonly brokers: readonly string[]
  readonly tls?: TlsConfig
  readonly sasl?: SaslConfig
  readonly sessionTimeoutMs: number
  /** How long a revoked or stopping worker may go on writing what it holds. */
  readonly drainDeadlineMs: number
  /** Copies of each topic, for `tidemark init`; undefined: the brokers' own default. */
  readonly replicationFactor: number | undefined
}

export interface CassandraConfig {
  readonly contactPoints: readonly Address[]
  readonly localDatacenter: string
  readonly keyspace: string
  readonly tls?: TlsConfig
  readonly credentials?: { readonly username: string; readonly password: string }
  /** Copies of each row in the local data centre, for `tidemark init`; undefined: as many as it has nodes, at most 3. */
  readonly replicationFactor: number | undefined
  /** Requests in flight per process. */
  readonly inFlight: number
  readonly deletedTtlSeconds: number
}

/** The operator's tuning of the engine. Authors see none of it. */
export interface EngineConfig {
  readonly flushRows: number
  readonly flushBytes: number
  readonly flushIntervalMs: number
  /** Per projection, shared by the partitions it is assigned. */
  readonly workingSetBytes: number
  readonly onPoison: 'park' | 'skip' | 'stop'
}

export interface HttpConfig {
  /** Undefined: each process has its own default. 0: any free port. */
  readonly port: number | undefined
}

export interface LogConfig {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
}

export interface Config {
  readonly kafka: KafkaConfig
  readonly cassandra: CassandraConfig
  readonly engine: EngineConfig
  readonly http: HttpConfig
  readonly log: LogConfig
  /** Files and folders with projections, from TIDEMARK_PROJECTIONS; empty if there are only the built-in ones. */
  readonly projections: readonly string[]
  /** Are the projections of the shop loaded as well? */
  readonly builtin: boolean
}

const MIB = 1024 * 1024
const OWN_KEYSPACES =
  /^system(_(auth|schema|distributed|distributed_everywhere|traces|views|virtual_schema|cluster_metadata))?$/

/** Every setting there is, with what is used where it is unset. Defaults are those of the local stack, or a reason says why. */
const settings = {
  KAFKA_BROKERS: addressList(9092).prefault('127.0.0.1:9092'),
  KAFKA_TLS: flag.prefault('false'),
  KAFKA_TLS_CA_FILE: file.optional(),
  KAFKA_TLS_CERT_FILE: file.optional(),
  KAFKA_TLS_KEY_FILE: file.optional(),
  KAFKA_SASL_MECHANISM: choice(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  KAFKA_SASL_OAUTH_TOKEN_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).optional(),
  KAFKA_SASL_OAUTH_CLIENT_ID: z.string().optional(),
  KAFKA_SASL_OAUTH_CLIENT_SECRET: z.string().optional(),
  KAFKA_SASL_OAUTH_SCOPE: z.string().optional(),
  /** How long the partitions of a killed worker are read by nobody; longer tolerates longer pauses of a live one. */
  KAFKA_SESSION_TIMEOUT_SECONDS: whole(6, 300, 'seconds').prefault('10'),
  /** Unset: the brokers' default.replication.factor, which whoever runs them has chosen. */
  KAFKA_REPLICATION_FACTOR: whole(1, 100).optional(),

  CASSANDRA_CONTACT_POINTS: addressList(9042).prefault('127.0.0.1:9042'),
  CASSANDRA_LOCAL_DATACENTER: z
    .string()
    .regex(/^\S{1,100}$/, 'must be a data centre name without spaces')
    .prefault('dc1'),
  CASSANDRA_KEYSPACE: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,47}$/, 'must be lower-case letters, digits and _, at most 48, a letter first')
    .refine((name) => !OWN_KEYSPACES.test(name), "must not be one of Cassandra's own")
    .prefault('tidemark'),
  CASSANDRA_TLS: flag.prefault('false'),
  CASSANDRA_TLS_CA_FILE: file.optional(),
  CASSANDRA_TLS_CERT_FILE: file.optional(),
  CASSANDRA_TLS_KEY_FILE: file.optional(),
  CASSANDRA_USERNAME: z.string().optional(),
  CASSANDRA_PASSWORD: z.string().optional(),
  /** Unset: as many as the local data centre has nodes, at most 3. */
  CASSANDRA_REPLICATION_FACTOR: whole(1, 20).optional(),
  /** Above 512 the driver gains next to nothing, and at 2048 a connection refuses. */
  TIDEMARK_IN_FLIGHT: whole(1, 2000, 'requests').prefault('384'),
  /** How long a deleted row's marker can tell a redelivery that it is late: longer than any group is ever rewound. */
  TIDEMARK_DELETED_TTL_DAYS: whole(1, 365, 'days').prefault('7'),

  /** While behind, a flush is this large at most: more coalesces better, and is more to repeat after a crash. */
  TIDEMARK_FLUSH_ROWS: whole(1, 1_000_000, 'rows').prefault('20000'),
  TIDEMARK_FLUSH_MIB: whole(1, 1024, 'MiB').prefault('64'),
  /** While behind, how long rows are collected. Caught up, rows are written at once whatever this says. */
  TIDEMARK_FLUSH_INTERVAL_MS: whole(1, 60_000, 'milliseconds').prefault('3000'),
  /** Rows kept so as not to be read again; half of a worker's memory is a good size. */
  TIDEMARK_WORKING_SET_MIB: whole(1, 65_536, 'MiB').prefault('256'),
  /** How long a revoked or stopping worker writes what it holds; keep it below `terminationGracePeriodSeconds`. */
  TIDEMARK_DRAIN_DEADLINE_SECONDS: whole(1, 600, 'seconds').prefault('20'),
  /** `park` sets the event and its rows aside; `skip` loses the event and says so; `stop` ends the worker. */
  TIDEMARK_ON_POISON: choice(['park', 'skip', 'stop']).prefault('park'),

  /** The shop is an example: who runs views of their own leaves it out, and need not create its topics and tables. */
  TIDEMARK_BUILTIN: flag.prefault('true'),
  TIDEMARK_PROJECTIONS: z
    .string()
    .transform((text) => text.split(':').filter((path) => path !== ''))
    .prefault(''),
  TIDEMARK_HTTP_PORT: whole(0, 65_535).optional(),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).prefault('info'),
}

type Name = keyof typeof settings
const schema = z.object(settings)
type Values = z.output<typeof schema>
type Env = Readonly<Record<string, string | undefined>>

/** The names of all settings, for `tidemark doctor` and the documentation's tests. */
export const settingNames: readonly string[] = Object.keys(settings)

const SECRET = /PASSWORD|SECRET/

/**
 * Reads every setting from the environment. Throws one CONFIG_INVALID that lists all wrong ones, each with its value (never
 * a secret's) and rule. An empty variable counts as unset, since that is how templates leave out a value.
 */
export function readConfig(env: Env = process.env): Config {
  const given: Env = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const faults = [...unknownNames(given)]
  const parsed = schema.safeParse(given)
  for (const { path, message } of parsed.error?.issues ?? []) faults.push(fault(String(path[0]), given, message))
  faults.push(...combinations(given))
  if (!parsed.success || faults.length > 0) {
    throw new TidemarkError('CONFIG_INVALID', listed(`${faults.length} wrong setting(s)`, faults))
  }
  return frozen(arranged(parsed.data))
}

function fault(name: string, given: Env, rule: string): string {
  const value = given[name]
  return `${name}${value === undefined ? ' (unset)' : SECRET.test(name) ? '=(hidden)' : `=${JSON.stringify(value)}`} ${rule}`
}

/** Kubernetes puts such variables into every pod for each Service of the namespace, ours included. */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/

function unknownNames(given: Env): string[] {
  return Object.keys(given)
    .filter((name) => name.startsWith('TIDEMARK_') && !(name in settings))
    .filter(
      (name) => !SERVICE_LINK.test(name) && !(name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(given[name] ?? '')),
    )
    .map((name) => {
      const meant = nearest(name, settingNames)
      return fault(name, given, `is not a setting${meant ? `: did you mean ${meant}?` : ''}`)
    })
}

/** Rules about several settings at once. */
function combinations(given: Env): string[] {
  const faults: string[] = []
  const needs = (name: Name, other: Name) => {
    if (given[name] && !given[other]) faults.push(fault(other, given, `must be set, since ${name} is`))
  }
  for (const server of ['KAFKA', 'CASSANDRA'] as const) {
    const on = /^(true|1)$/i.test(given[`${server}_TLS`] ?? '')
    for (const part of ['CA', 'CERT', 'KEY'] as const) {
      const name = `${server}_TLS_${part}_FILE` as const
      if (given[name] && !on) faults.push(fault(name, given, `has no effect: set ${server}_TLS=true as well`))
    }
    needs(`${server}_TLS_CERT_FILE`, `${server}_TLS_KEY_FILE`)
    needs(`${server}_TLS_KEY_FILE`, `${server}_TLS_CERT_FILE`)
  }
  needs('CASSANDRA_USERNAME', 'CASSANDRA_PASSWORD')
  needs('CASSANDRA_PASSWORD', 'CASSANDRA_USERNAME')

  const user: Name[] = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']
  const oauth: Name[] = [
    'KAFKA_SASL_OAUTH_TOKEN_ENDPOINT',
    'KAFKA_SASL_OAUTH_CLIENT_ID',
    'KAFKA_SASL_OAUTH_CLIENT_SECRET',
  ]
  const mechanism = given.KAFKA_SASL_MECHANISM?.toLowerCase()
  if (mechanism) {
    for (const name of mechanism === 'oauthbearer' ? oauth : user) needs('KAFKA_SASL_MECHANISM', name)
  } else {
    for (const name of [...user, ...oauth])
      if (given[name]) faults.push(fault(name, given, 'has no effect: set KAFKA_SASL_MECHANISM as well'))
  }
  return faults
}

function arranged(values: Values): Config {
  return {
    kafka: {
      brokers: values.KAFKA_BROKERS.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
      ...(values.KAFKA_TLS
        ? { tls: tls(values.KAFKA_TLS_CA_FILE, values.KAFKA_TLS_CERT_FILE, values.KAFKA_TLS_KEY_FILE) }
        : {}),
      ...sasl(values),
      sessionTimeoutMs: values.KAFKA_SESSION_TIMEOUT_SECONDS * 1000,
      drainDeadlineMs: values.TIDEMARK_DRAIN_DEADLINE_SECONDS * 1000,
      replicationFactor: values.KAFKA_REPLICATION_FACTOR,
    },
    cassandra: {
      contactPoints: values.CASSANDRA_CONTACT_POINTS,
      localDatacenter: values.CASSANDRA_LOCAL_DATACENTER,
      keyspace: values.CASSANDRA_KEYSPACE,
      ...(values.CASSANDRA_TLS
        ? { tls: tls(values.CASSANDRA_TLS_CA_FILE, values.CASSANDRA_TLS_CERT_FILE, values.CASSANDRA_TLS_KEY_FILE) }
        : {}),
      ...(values.CASSANDRA_USERNAME && values.CASSANDRA_PASSWORD
        ? { credentials: { username: values.CASSANDRA_USERNAME, password: values.CASSANDRA_PASSWORD } }
        : {}),
      replicationFactor: values.CASSANDRA_REPLICATION_FACTOR,
      inFlight: values.TIDEMARK_IN_FLIGHT,
      deletedTtlSeconds: values.TIDEMARK_DELETED_TTL_DAYS * 86_400,
    },
    engine: {
      flushRows: values.TIDEMARK_FLUSH_ROWS,
      flushBytes: values.TIDEMARK_FLUSH_MIB * MIB,
      flushIntervalMs: values.TIDEMARK_FLUSH_INTERVAL_MS,
      workingSetBytes: values.TIDEMARK_WORKING_SET_MIB * MIB,
      onPoison: values.TIDEMARK_ON_POISON,
    },
    http: { port: values.TIDEMARK_HTTP_PORT },
    log: { level: values.LOG_LEVEL },
    projections: values.TIDEMARK_PROJECTIONS,
    builtin: values.TIDEMARK_BUILTIN,
  }
}

function tls(ca: string | undefined, cert: string | undefined, key: string | undefined): TlsConfig {
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
}

function sasl(values: Values): { sasl?: SaslConfig } {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = values
  if (mechanism && mechanism !== 'oauthbearer' && username && password)
    return { sasl: { mechanism, username, password } }
  const {
    KAFKA_SASL_OAUTH_TOKEN_ENDPOINT: tokenEndpoint,
    KAFKA_SASL_OAUTH_CLIENT_ID: clientId,
    KAFKA_SASL_OAUTH_CLIENT_SECRET: clientSecret,
    KAFKA_SASL_OAUTH_SCOPE: scope,
  } = values
  if (mechanism === 'oauthbearer' && tokenEndpoint && clientId && clientSecret)
    return { sasl: { mechanism, tokenEndpoint, clientId, clientSecret, ...(scope ? { scope } : {}) } }
  return {}
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part)
  return Object.freeze(value)
}
