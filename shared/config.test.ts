import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConfig, settingNames } from './config.ts'
import { TidemarkError } from './errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function faultsOf(env: Record<string, string>): string {
  try {
    readConfig(env)
  } catch (error) {
    expect(error).toBeInstanceOf(TidemarkError)
    expect((error as TidemarkError).code).toBe('CONFIG_INVALID')
    return (error as TidemarkError).message
  }
  return ''
}

test('with nothing set, the local stack is meant', () => {
  const config = readConfig({})
  expect(config.kafka).toMatchObject({ brokers: ['127.0.0.1:9092'], replicationFactor: undefined })
  expect(config.kafka).not.toHaveProperty('tls')
  expect(config.kafka).not.toHaveProperty('sasl')
  expect(config.cassandra).toMatchObject({
    contactPoints: [{ host: '127.0.0.1', port: 9042 }],
    localDatacenter: 'dc1',
    keyspace: 'tidemark',
  })
  expect(config).toMatchObject({ http: { port: undefined }, log: { level: 'info' }, projections: [] })
})

test('an empty variable is an unset one', () => {
  expect(readConfig(Object.fromEntries(settingNames.map((name) => [name, ''])))).toEqual(readConfig({}))
})

test('all wrong settings are listed at once, with name, value and rule', () => {
  const faults = faultsOf({
    KAFKA_BROKERS: 'a:99999,b',
    LOG_LEVEL: 'loud',
    TIDEMARK_HTTP_PORT: '-1',
    TIDEMARK_FLUSH_ROWS: '1e3',
  })
  expect(faults).toContain('4 wrong setting(s)')
  expect(faults).toContain('KAFKA_BROKERS="a:99999,b" must be a list of host:port')
  expect(faults).toContain('LOG_LEVEL="loud" must be one of fatal')
  expect(faults).toContain('TIDEMARK_HTTP_PORT="-1" must be a whole number from 0 to 65535')
  expect(faults).toContain('TIDEMARK_FLUSH_ROWS="1e3" must be a whole number')
})

test("Cassandra's own keyspaces are not for views", () => {
  for (const name of ['system', 'system_auth'])
    expect(faultsOf({ CASSANDRA_KEYSPACE: name })).toContain("must not be one of Cassandra's own")
  expect(readConfig({ CASSANDRA_KEYSPACE: 'system_orders' }).cassandra.keyspace).toBe('system_orders')
})

test('a misspelt TIDEMARK_ variable is refused with the one that was probably meant', () => {
  expect(faultsOf({ TIDEMARK_PROJECTION: 'x' })).toContain('did you mean TIDEMARK_PROJECTIONS?')
})

test('variables that Kubernetes makes of Services called tidemark-… are not misspelt settings', () => {
  const links = {
    TIDEMARK_QUERY_SERVICE_HOST: '10.0.0.1',
    TIDEMARK_QUERY_SERVICE_PORT: '80',
    TIDEMARK_QUERY_SERVICE_PORT_HTTP: '80',
    TIDEMARK_QUERY_PORT: 'tcp://10.0.0.1:80',
    TIDEMARK_QUERY_PORT_80_TCP: 'tcp://10.0.0.1:80',
    TIDEMARK_QUERY_PORT_80_TCP_ADDR: '10.0.0.1',
    TIDEMARK_SERVICE_HOST: '10.0.0.1',
  }
  expect(readConfig(links)).toEqual(readConfig({}))
})

test("no message shows a secret's value", () => {
  const faults = faultsOf({
    KAFKA_SASL_PASSWORD: 'geheim1',
    KAFKA_SASL_OAUTH_CLIENT_SECRET: 'geheim2',
    CASSANDRA_PASSWORD: 'geheim3',
  })
  expect(faults).toContain('KAFKA_SASL_PASSWORD=(hidden)')
  expect(faults).not.toContain('geheim')
})

test('credentials come in pairs, and mechanism and credentials together', () => {
  expect(faultsOf({ CASSANDRA_USERNAME: 'u' })).toContain('CASSANDRA_PASSWORD (unset) must be set')
  expect(faultsOf({ KAFKA_SASL_MECHANISM: 'plain' })).toMatch(/USERNAME \(unset\)[\s\S]*PASSWORD \(unset\)/)
  expect(faultsOf({ KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' })).toContain('set KAFKA_SASL_MECHANISM')
  expect(faultsOf({ KAFKA_SASL_MECHANISM: 'oauthbearer' })).toContain('KAFKA_SASL_OAUTH_TOKEN_ENDPOINT (unset)')
  expect(
    readConfig({ KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }).kafka
      .sasl,
  ).toEqual({ mechanism: 'scram-sha-512', username: 'u', password: 'p' })
})

test('TLS files are read at the start; one that is missing or has no effect is a fault', () => {
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, 'PEM')
  expect(readConfig({ KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: ca }).kafka.tls).toEqual({ ca: 'PEM' })
  expect(readConfig({ CASSANDRA_TLS: '1' }).cassandra.tls).toEqual({})
  expect(faultsOf({ KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: join(folder, 'no') })).toContain(
    'must be a file that can be read',
  )
  expect(faultsOf({ KAFKA_TLS_CA_FILE: ca })).toContain('set KAFKA_TLS=true')
  expect(faultsOf({ KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: ca })).toContain('KAFKA_TLS_KEY_FILE (unset)')
})

test('addresses take default ports, IPv6 and spaces; other text is refused', () => {
  expect(readConfig({ CASSANDRA_CONTACT_POINTS: 'a, b:1 ,[::1]:2' }).cassandra.contactPoints).toEqual([
    { host: 'a', port: 9042 },
    { host: 'b', port: 1 },
    { host: '::1', port: 2 },
  ])
  expect(readConfig({ KAFKA_BROKERS: '[::1]:9' }).kafka.brokers).toEqual(['[::1]:9'])
  for (const wrong of ['kafka://a', 'a:b', 'a,,b', 'a:0', ':9', ','])
    expect(faultsOf({ KAFKA_BROKERS: wrong }), wrong).not.toBe('')
})

test('units are in the names, and the result has one unit each', () => {
  const config = readConfig({
    TIDEMARK_FLUSH_MIB: '2',
    TIDEMARK_DRAIN_DEADLINE_SECONDS: '3',
    TIDEMARK_DELETED_TTL_DAYS: '1',
  })
  expect(config.engine.flushBytes).toBe(2 * 1024 * 1024)
  expect(config.kafka.drainDeadlineMs).toBe(3000)
  expect(config.cassandra.deletedTtlSeconds).toBe(86_400)
})

test('the result cannot be changed', () => {
  const config = readConfig({})
  expect(() => Object.assign(config.kafka, { brokers: [] })).toThrow(TypeError)
  expect(() => Object.assign(config.cassandra.contactPoints, { 0: 'x' })).toThrow(TypeError)
})
