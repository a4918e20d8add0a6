import { expect, test } from 'vitest'
import { chooseJava, parseVersion } from './java.ts'

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_402"', 8],
  ['openjdk version "25" 2025-09-16', 25],
  ['bash: java: command not found', undefined],
])('%s is Java %s', (output, version) => {
  expect(parseVersion(output)).toBe(version)
})

const installed = new Map([
  ['/new/java', 25],
  ['/right/java', 17],
])

test('a Java of another version is passed over for one that serves both servers', () => {
  expect(chooseJava(['/none/java', '/new/java', '/right/java'], (path) => installed.get(path))).toBe('/right/java')
})

test('without the right Java the error names the ones that were found', () => {
  expect(() => chooseJava(['/none/java', '/new/java'], (path) => installed.get(path))).toThrow(
    'no Java 17 was found: /new/java is Java 25',
  )
  expect(() => chooseJava(['/none/java'], (path) => installed.get(path))).toThrow('no Java was found')
})
