import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GoModule, type Outcome, run } from './tools.ts'

/**
 * Runs a program in the folder of a new Go module that requires another one, and removes the folder. So Go fetches what is missing and
 * holds it against its checksum database. Throws if the program can't be started.
 */
export function inGoModule({ module, version, replace }: GoModule, program: string, args: readonly string[]): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-go-'))
  try {
    // Go raises the version of the language itself, to what the required module asks for.
    const lines = [
      'module tidemark',
      'go 1.21',
      `require ${module} ${version}`,
      ...(replace ? [`replace ${replace}`] : []),
    ]
    writeFileSync(join(folder, 'go.mod'), `${lines.join('\n')}\n`)
    return run(program, args, {
      cwd: folder,
      env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: `${process.env.GOFLAGS ?? ''} -mod=mod`.trim() },
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
