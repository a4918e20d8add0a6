import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Edit, Mutation } from './mutations.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Everything the simulation imports. */
const NEEDED = ['shared', 'k8s/torture/simulate.ts', 'package.json', 'tsconfig.json']

/** Copies of the repository with one change each, on which the simulation is run. */
export class Mutants {
  readonly #dir = mkdtempSync(join(tmpdir(), 'tidemark-mutants-'))
  #count = 0

  /** Does the simulation find anything wrong within so many turns? `mutation` undefined: in the engine as it is. */
  async caught(mutation: Mutation | undefined, turns: number, seed: number): Promise<{ found: boolean; said: string }> {
    const dir = join(this.#dir, String(this.#count++))
    for (const path of NEEDED) cpSync(join(ROOT, path), join(dir, path), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    for (const edit of mutation ? [mutation, ...(mutation.also ? [mutation.also] : [])] : [])
      mutate(join(dir, 'shared', 'engine', edit.file), edit)
    const script = join(dir, 'k8s', 'torture', 'simulate.ts')
    const args = [script, '--turns', String(turns), '--seed', String(seed), '--shrink-seconds', '0']
    const child = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [code, out, errors] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
    return { found: code !== 0, said: `${out}${errors}`.trim().split('\n')[0] ?? '' }
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

function mutate(path: string, { find, replace }: Edit): void {
  const before = readFileSync(path, 'utf8')
  const places = before.split(find).length - 1
  if (places !== 1) throw new Error(`the place of a mutation occurs ${places} times in ${path}: ${find}`)
  writeFileSync(
    path,
    before.replace(find, () => replace),
  )
}
