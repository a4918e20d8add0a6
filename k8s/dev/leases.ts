import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alive, readIdentity, self } from './process.ts'

/*
 * A stack that a test run had to start is ended by the last run that uses it, however many overlap.
 * Each run holds a lease; one that died holds none. `make stack` makes the stack a person's: no run ends it then.
 */

/** Registers this process as a user of the stack in `dir`. Call it before `up`. */
export function takeLease(dir: string): void {
  const { pid, started } = self()
  mkdirSync(leases(dir), { recursive: true })
  writeFileSync(join(leases(dir), String(pid)), `${pid} ${started}\n`)
}

export function dropLease(dir: string): void {
  rmSync(join(leases(dir), String(process.pid)), { force: true })
}

/** Says that the stack was started for its users, and may end with them. */
export function endWithUsers(dir: string): void {
  writeFileSync(mark(dir), '')
}

/** Says that the stack stays until somebody ends it. */
export function keepRunning(dir: string): void {
  rmSync(mark(dir), { force: true })
}

/** Whether nobody wants the stack any more. Only an answer given under the stack's lock stays true. */
export function isUnwanted(dir: string): boolean {
  if (!existsSync(mark(dir))) return false
  return readDir(leases(dir)).every((file) => {
    const holder = readIdentity(join(leases(dir), file))
    return !holder || !alive(holder)
  })
}

function mark(dir: string): string {
  return join(dir, 'ends-with-its-users')
}

function leases(dir: string): string {
  return join(dir, 'leases')
}

function readDir(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
