import { errors, types } from 'cassandra-driver'
import { expect, test } from 'vitest'
import { TidemarkError } from '../errors.ts'
import { classified } from './errors.ts'

const { responseErrorCodes: codes } = types
const response = (code: number, message = 'said the server') => new errors.ResponseError(code, message)
const none = (inner: Error) => new errors.NoHostAvailableError({ '10.0.0.1:9042': inner })

test.each([
  ['no answer in time', new errors.OperationTimedOutError('late'), 'CASSANDRA_UNAVAILABLE'],
  ['too many in flight', new errors.BusyConnectionError('10.0.0.1', 2048, 1), 'CASSANDRA_UNAVAILABLE'],
  ['a broken connection', Object.assign(new Error('ECONNRESET'), { isSocketError: true }), 'CASSANDRA_UNAVAILABLE'],
  ['no node', none(new Error('ECONNREFUSED')), 'CASSANDRA_UNAVAILABLE'],
  ['no node known', new errors.NoHostAvailableError({}), 'CASSANDRA_UNAVAILABLE'],
  ['overloaded', response(codes.overloaded), 'CASSANDRA_UNAVAILABLE'],
  ['a write timeout', response(codes.writeTimeout), 'CASSANDRA_UNAVAILABLE'],
  ['a write failure', response(codes.writeFailure), 'CASSANDRA_UNAVAILABLE'],
  ['too few replicas', response(codes.unavailableException), 'CASSANDRA_UNAVAILABLE'],
  ['a server error', response(codes.serverError), 'CASSANDRA_UNAVAILABLE'],
  ['no rights', response(codes.unauthorized), 'CASSANDRA_UNAVAILABLE'],
  ['a wrong password', none(new errors.AuthenticationError('bad')), 'CASSANDRA_UNAVAILABLE'],
  ['a table that is gone', response(codes.invalid, 'table cart_summary_v1 does not exist'), 'CASSANDRA_SCHEMA'],
  ['a column that is gone', response(codes.invalid, 'Undefined column name note in table t.x'), 'CASSANDRA_SCHEMA'],
  ['another type', response(codes.invalid, 'Expected 4 or 0 byte int (8)'), 'CASSANDRA_SCHEMA'],
  ['what could not be prepared again', none(response(codes.unprepared)), 'CASSANDRA_SCHEMA'],
  ['syntax', response(codes.syntaxError), 'CASSANDRA_SCHEMA'],
  [
    'a row too large',
    response(codes.invalid, 'Rejected an oversized mutation (8913010/8388608) for keyspace: k'),
    'WRITE_REFUSED',
  ],
  ['a batch too large', response(codes.invalid, 'Batch too large'), 'WRITE_REFUSED'],
  ['a key too long', response(codes.invalid, 'Key length of 70000 is longer than maximum of 65535'), 'WRITE_REFUSED'],
  ['what every node refuses', none(response(codes.invalid, 'Key may not be empty')), 'WRITE_REFUSED'],
  [
    'a value too large to be indexed',
    response(codes.invalid, 'Cannot index value of size 70000 for index i'),
    'WRITE_REFUSED',
  ],
  [
    'a life that ends after all time',
    response(codes.invalid, 'Request on table k.t with ttl of 9 seconds exceeds maximum supported expiration date'),
    'CASSANDRA_SCHEMA',
  ],
  ['a life too long', response(codes.invalid, 'ttl is too large. requested (9) maximum (8)'), 'CASSANDRA_SCHEMA'],
])('%s', (_, error, code) => {
  const found = classified(error, 'writing to shop.cart_summary_v1')
  expect(found.code).toBe(code)
  expect(found.message).toContain('shop.cart_summary_v1')
  expect(found.cause).toBeInstanceOf(Error)
})

test('wrong credentials are called so', () => {
  expect(classified(none(new errors.AuthenticationError('bad')), 'connecting').remedy).toContain('CASSANDRA_USERNAME')
})

test('what is classified stays as it is', () => {
  const error = new TidemarkError('USAGE', 'x')
  expect(classified(error, 'y')).toBe(error)
})

const guardrail = (name: string, says: string) =>
  classified(response(codes.invalid, `Guardrail ${name} violated: ${says}`), 'writing to shop.cart_summary_v1')

test.each([
  ['column_value_size', "Value of column 'note' has size 2KiB, this exceeds the failure threshold of 1KiB."],
  ['collection_size', 'Detected collection tags of size 2KiB, this exceeds the failure threshold of 1KiB.'],
  ['items_per_collection', 'Detected collection tags with 20 items, this exceeds the failure threshold of 10.'],
  ['sai_string_term_size', "Value of column 'note' has size 9KiB, this exceeds the failure threshold of 8KiB."],
  ['sai_frozen_term_size', "Value of column 'tags' has size 9KiB, this exceeds the failure threshold of 8KiB."],
])('a guardrail about one value refuses that value: %s', (name, says) => {
  expect(guardrail(name, says).code).toBe('WRITE_REFUSED')
})

test.each([
  ['replica_disk_usage', 'Write request failed because disk usage exceeds failure threshold'],
  [
    'minimum_timestamp',
    'The modification to table t has a timestamp 1 before the minimum allowable failure threshold 2',
  ],
  [
    'maximum_timestamp',
    'The modification to table t has a timestamp 2 after the maximum allowable failure threshold 1',
  ],
  ['user_timestamps', 'User provided timestamps (USING TIMESTAMP) is not allowed'],
  ['write_consistency_levels', 'Provided values [LOCAL_QUORUM] are not allowed for write consistency levels'],
  ['partition_size', 'Partition k has size 2GiB (Too large partitions can cause performance problems.)'],
  ['one_of_a_later_cassandra', 'the value is too large, which exceeds the length limit'],
])('a guardrail about the world makes no event poison, and is named: %s', (name, says) => {
  const { kind, remedy } = guardrail(name, says)
  expect(kind).toBe('transient')
  expect(remedy).toContain(name)
})
