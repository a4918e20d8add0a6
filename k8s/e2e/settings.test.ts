import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'

const whole = { E2E_IMAGE: 'registry.example:5000/tidemark:1', E2E_KAFKA: 'a:9092,b:9092', E2E_CASSANDRA: 'c' }

test('an image is named with its tag, servers as a list', () => {
  expect(readSettings(whole)).toMatchObject({
    image: { repository: 'registry.example:5000/tidemark', tag: '1' },
    kafka: ['a:9092', 'b:9092'],
    cassandra: ['c'],
    namespace: 'tidemark-e2e',
  })
})

test('everything that is missing is named at once', () => {
  expect(() => readSettings({ E2E_IMAGE: 'registry.example:5000/tidemark' })).toThrow(
    /E2E_KAFKA is not set[\s\S]*E2E_CASSANDRA is not set[\s\S]*E2E_IMAGE must be repository:tag/,
  )
})
