import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second. */
const TICK = 100

/** Seconds of CPU a process has used, its threads included; 0 if it is gone. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticks(pid), 0) / TICK
}

function ticks(pid: number): number {
  const stat = read(pid, 'stat')
  // The command's name may hold spaces, so fields are counted from the last bracket on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** The most memory a process has had so far, in MiB. */
export function peakMemory(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(read(pid, 'status'))?.[1] ?? 0) / 1024
}

export interface Servers {
  readonly kafka: readonly number[]
  readonly cassandra: readonly number[]
}

/** The servers of the stack that STACK_NAME names; without one, all there are on this machine. */
export function servers(): Servers {
  const stack = process.env.STACK_NAME === undefined ? '' : `/.stack/${process.env.STACK_NAME}/`
  const running = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: read(Number(name), 'cmdline').replaceAll('\0', ' ') }))
    .filter(({ command }) => /\bjava\b/.test(command) && command.includes(stack))
  const pids = (main: string) => running.filter(({ command }) => command.includes(main)).map(({ pid }) => pid)
  return { kafka: pids('kafka.Kafka'), cassandra: pids('CassandraDaemon') }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
