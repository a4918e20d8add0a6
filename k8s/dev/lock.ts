import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, POLL_MS, readIdentity, self } from './process.ts'

/**
 * Runs `work` while no other process holds the lock. A holder that died, however it died, holds nothing.
 * `waiting` is told once, with the holder's pid.
 */
export async function locked<T>(
  file: string,
  waiting: (pid: number) => void,
  work: () => Promise<T>,
  cancel?: AbortSignal,
): Promise<T> {
  let told = false
  while (!take(file)) {
    cancel?.throwIfAborted()
    const holder = readIdentity(file)
    if (holder && !told) waiting(holder.pid)
    told = true
    await sleep(POLL_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file: string): boolean {
  mkdirSync(dirname(file), { recursive: true })
  const { pid, started } = self()
  const own = `${file}.${pid}`
  writeFileSync(own, `${pid} ${started}\n`)
  try {
    // A link appears with its content in one step, or fails because somebody else's is there.
    linkSync(own, file)
    return true
  } catch {
    clearIfDead(file)
    return false
  } finally {
    rmSync(own, { force: true })
  }
}

function clearIfDead(file: string): void {
  const holder = readIdentity(file)
  if (!holder || alive(holder)) return
  const taken = `${file}.dead.${process.pid}`
  try {
    renameSync(file, taken)
    // Another process may have cleared the dead one's lock and taken it since it was read: then give it back.
    const moved = readIdentity(taken)
    if (moved && alive(moved)) linkSync(taken, file)
    rmSync(taken, { force: true })
  } catch {
    // Somebody else was faster; the next round looks again.
  }
}
