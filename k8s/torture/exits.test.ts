import { expect, test } from 'vitest'
import { type Exit, troubleOf } from './exits.ts'

const exit: Exit = { worker: 'w', code: null, signal: null, sent: new Set(), starved: false, words: '' }
const unavailable = '{"level":"warn"}\ntidemark: KAFKA_UNAVAILABLE: no broker answers\n'
const fatal = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n'

test.each<[string, Partial<Exit>, boolean]>([
  ['killed by the suite', { signal: 'SIGKILL', sent: new Set(['SIGKILL']) }, false],
  ['ended by the suite', { code: 0, sent: new Set(['SIGTERM']) }, false],
  ['ended by the suite before it listened', { signal: 'SIGTERM', sent: new Set(['SIGTERM']) }, false],
  ['out of the little memory it had', { signal: 'SIGABRT', starved: true, words: fatal }, false],
  ['for its supervisor during an outage', { code: 1, words: unavailable }, true],
])('is as it must be: %s', (_, over, outage) => {
  expect(troubleOf({ ...exit, ...over }, outage)).toBeUndefined()
})

test.each<[string, Partial<Exit>, boolean]>([
  ['killed by somebody else', { signal: 'SIGKILL', sent: new Set(['SIGTERM']) }, true],
  ['of its own accord', { code: 0 }, true],
  ['an error nobody foresaw', { code: 1, words: 'tidemark: unexpected TypeError: x is not a function' }, true],
  ['an unhandled rejection while it was to end', { code: 1, sent: new Set(['SIGTERM']), words: 'Error: y' }, true],
  ['out of all its memory', { signal: 'SIGABRT', words: fatal }, true],
  ['for its supervisor without an outage', { code: 1, words: unavailable }, false],
  ['a refusal', { code: 78, sent: new Set(['SIGTERM']), words: 'tidemark: VIEW_LOST: gone' }, true],
])('is trouble: %s', (_, over, outage) => {
  expect(troubleOf({ ...exit, ...over }, outage)).toContain(over.words?.trim() ?? 'w ended')
})
