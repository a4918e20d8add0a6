import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StackError } from './errors.ts'

/** A process that can't be mistaken for a later one of the same number: its start time goes with it. */
export type Identity = { pid: number; started: string }

export const POLL_MS = 100

/** When a process began, in the system's own words; undefined once it is gone. A zombie is gone. */
export function startTime(pid: number): string | undefined {
  if (process.platform !== 'linux') return startTimeByPs(pid)
  try {
    // The command's name may hold spaces and brackets, so fields are counted from the last bracket on.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function startTimeByPs(pid: number): string | undefined {
  const [state = '', ...started] = (output('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]) ?? '').trim().split(/\s+/)
  return state === '' || state.startsWith('Z') ? undefined : started.join(' ')
}

/** What a small command prints; undefined where it is missing or fails. */
export function output(command: string, args: string[]): string | undefined {
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  return status === 0 ? stdout : undefined
}

export function self(): Identity {
  return { pid: process.pid, started: startTime(process.pid) ?? '' }
}

export function alive({ pid, started }: Identity): boolean {
  return startTime(pid) === started
}

/** `<pid> <start time>`; undefined for a file that is missing or was cut short. */
export function readIdentity(file: string): Identity | undefined {
  try {
    const [, pid, started] = /^(\d+) (.+)\n/.exec(readFileSync(file, 'utf8')) ?? []
    return pid && started ? { pid: Number(pid), started: started.trim().replace(/\s+/g, ' ') } : undefined
  } catch {
    return undefined
  }
}

export function pidFile(dir: string): string {
  return join(dir, 'pid')
}

export function logFile(dir: string): string {
  return join(dir, 'server.log')
}

/** The server that was started in this folder, if it still runs. */
export function running(dir: string): Identity | undefined {
  const identity = readIdentity(pidFile(dir))
  return identity && alive(identity) ? identity : undefined
}

// The server's own shell writes the pid file before it becomes the server: whenever the script that asked for it
// is killed, there is no server without a pid file.
const BECOME = `
  started=$(cut -d' ' -f22 /proc/$$/stat 2>/dev/null || LC_ALL=C ps -o lstart= -p $$)
  printf '%s %s\\n' $$ "$started" >"$0.new" && mv "$0.new" "$0" && exec "$@"`

/** Starts a server that outlives this process. Its output goes to `server.log`; the run before is kept as `previous.log`. */
export async function startServer(dir: string, command: string, args: string[]): Promise<void> {
  mkdirSync(dir, { recursive: true })
  rmSync(pidFile(dir), { force: true })
  try {
    renameSync(logFile(dir), join(dir, 'previous.log'))
  } catch {
    // The first start has no log yet.
  }
  const log = openSync(logFile(dir), 'a')
  const child = spawn('sh', ['-c', BECOME, pidFile(dir), command, ...args], {
    cwd: dir,
    detached: true,
    stdio: ['ignore', log, log],
  })
  child.unref()
  for (let waited = 0; readIdentity(pidFile(dir)) === undefined; waited += 5) {
    if (waited > 10_000) throw new StackError(`could not start ${command} in ${dir}`, `Read ${logFile(dir)}.`)
    await sleep(5)
  }
}

/** Ends the server of this folder and no other process; returns whether there was one. */
export async function stopServer(dir: string, deadlineMs: number): Promise<boolean> {
  const identity = running(dir)
  if (identity) {
    signal(identity, 'SIGTERM')
    signal(identity, 'SIGCONT') // a paused server acts on SIGTERM only once it goes on
    for (const start = Date.now(); alive(identity) && Date.now() - start < deadlineMs; ) await sleep(POLL_MS / 2)
    await killServer(dir)
  }
  rmSync(pidFile(dir), { force: true })
  return identity !== undefined
}

/** kill -9, and waits until the process is gone: its ports stay taken until its memory maps are. */
export async function killServer(dir: string): Promise<void> {
  const identity = running(dir)
  if (!identity) return
  signal(identity, 'SIGKILL')
  while (alive(identity)) await sleep(10)
}

export function signal(identity: Identity, name: NodeJS.Signals): void {
  if (!alive(identity)) return
  try {
    process.kill(identity.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return '(no log)'
  }
}
