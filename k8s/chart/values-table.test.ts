import { expect, test } from 'vitest'
import { documentedValues } from './values-table.ts'

test('a comment tells of the key below it, and of what is below that', () => {
  const text = "# Of the file.\n\na:\n  # -- First\n  # line.\n  b: 1\n  # -- Map.\n  c:\n    d: { e: 'x' }\n"
  expect(documentedValues(text)).toEqual([
    { path: 'a.b', fallback: '1', meaning: 'First line.' },
    { path: 'a.c', fallback: '', meaning: 'Map.' },
  ])
})

test('a value that nobody documented is a fault', () => {
  expect(() => documentedValues('a:\n  b: 1\n')).toThrow('values.yaml:2: a.b has no `# --` comment')
})
