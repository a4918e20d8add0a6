import { fileURLToPath } from 'node:url'

/** Why a projection's file could not be loaded: `file:line: what`, and what to do where that can be told. */
export function loadFailure(file: string, error: unknown): string {
  if (!(error instanceof Error))
    return `${file}: threw ${JSON.stringify(error) ?? String(error)}, which is not an Error`
  const place = placeOf(file, error)
  const hint = HINTS.find(([pattern]) => pattern.test(error.message))?.[1]
  const name = error.name === 'Error' || error.name === 'TidemarkError' ? '' : `${error.name}: `
  return `${place}: ${name}${error.message.trim()}${hint ? `. ${hint}` : ''}`
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /not supported in strip-only mode/,
    'Files run as they are: use TypeScript that only has to be erased (a union or a const object instead of an enum or a namespace, fields instead of parameter properties)',
  ],
  [/Cannot find package 'zod'/, "Write `import { z } from 'tidemark'`"],
  [/Cannot find package/, 'Install it in a node_modules folder beside the file or above it'],
  [/Cannot find module '.*\/[^./']+' imported/, 'Imports of files need their ending, like ./topics.ts'],
  [/does not provide an export named/, 'If it is a type, write `import type`'],
  [/(require|module|exports) is not defined/, 'Write an ES module: `import` and `export`'],
]

/** The line in the file itself where there is one in the stack; of an error in a file it imports, both are named. */
function placeOf(file: string, error: Error): string {
  const places = [...(error.stack ?? '').matchAll(/(file:\/\/[^\s()]+?):(\d+)(?::\d+)?\)?$/gm)].map(
    ([, url, line]) => ({ file: fileURLToPath(url ?? ''), line }),
  )
  const own = places.find((place) => place.file === file)
  if (own) return `${file}:${own.line}`
  const first = places[0]
  const authored = first && error instanceof SyntaxError ? first : undefined
  return authored ? `${file}: in ${authored.file}:${authored.line}` : file
}
