import { expect, test } from 'vitest'
import { TidemarkError } from '../../shared/errors.ts'
import { Audit, isAway } from './audit.ts'

test('what was seen is told', async () => {
  const audit = new Audit(async () => ['a difference'])
  expect(await audit.end(false)).toEqual(['a difference'])
  expect(audit.count).toBe(1)
})

test('a server that is away is no difference, if it had to be', async () => {
  const away = async () => {
    throw new TidemarkError('KAFKA_UNAVAILABLE', 'no broker answers')
  }
  expect(await new Audit(away).end(true)).toEqual([])
  expect(String(await new Audit(away).end(false))).toContain('seen nothing')
})

test('a fault of the audit itself is a difference', async () => {
  const broken = async () => {
    throw new TypeError('x is not a function')
  }
  expect(String(await new Audit(broken).end(true))).toContain('x is not a function')
  expect(isAway(new TypeError('x'))).toBe(false)
})
