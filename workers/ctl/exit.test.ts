import { expect, test } from 'vitest'
import { type ErrorCode, TidemarkError } from '../../shared/errors.ts'
import { exitCode } from './exit.ts'

test.each<[ErrorCode, number, string]>([
  ['USAGE', 64, 'the command line is wrong'],
  ['CONFIG_INVALID', 78, 'starting again with the same settings fails again'],
  ['KAFKA_DENIED', 77, 'the right may be granted while it is started again'],
  ['DEFINITION_CHANGED', 78, 'the projector must not run like this'],
  ['HANDLER_FAILED', 78, 'with TIDEMARK_ON_POISON=stop the event is still there after a restart'],
  ['CASSANDRA_UNAVAILABLE', 1, 'the world may be back when it is started again'],
])('%s ends with %d: %s', (code, expected) => {
  expect(exitCode(new TidemarkError(code, 'x'))).toBe(expected)
})

test('what nobody foresaw is tried again', () => {
  expect(exitCode(new Error('x'))).toBe(1)
})
