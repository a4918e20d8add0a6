import { expect, test } from 'vitest'
import { TidemarkError } from '../errors.ts'
import { faultOf } from './fault.ts'

test('a client is told the remedy of its very error, not that of the command line', () => {
  const error = new TidemarkError('USAGE', 'page "zzzz" is not one', { remedy: 'Pass `page` as it was returned.' })
  expect(faultOf(error).body).toEqual({
    error: { code: 'USAGE', message: 'page "zzzz" is not one', remedy: 'Pass `page` as it was returned.' },
  })
})
