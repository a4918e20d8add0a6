import { statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { PortTaken, StackError } from './errors.ts'
import { output } from './process.ts'
import type { Address, StackNode } from './settings.ts'

const LEAST_FREE_BYTES = 2e9

/** Fails, naming the port and who has it, unless a node's ports are all free. */
export async function checkPorts(nodes: StackNode[]): Promise<void> {
  const all = nodes.flatMap(({ name, ports }) => ports.map((port) => ({ name, ...port })))
  const codes = await Promise.all(all.map(({ address }) => tryToListen(address)))
  const problems = all.flatMap((port, i) => (codes[i] ? [{ ...port, code: codes[i] }] : []))
  const [first] = problems
  if (!first) return
  const { host } = first.address
  if (first.code === 'EADDRNOTAVAIL') {
    throw new StackError(
      `${first.name} can't listen on ${host}: this system has no such address`,
      `\`sudo ifconfig lo0 alias ${host}\` adds it.`,
    )
  }
  const lines = problems.map(({ name, address, code }) =>
    code === 'EADDRINUSE'
      ? `${name} needs ${address.host}:${address.port}, which ${holderOf(address.port) ?? 'another process'} has`
      : `${name} can't listen on ${address.host}:${address.port} (${code})`,
  )
  const settings = [...new Set(problems.map(({ setting }) => setting))].join(', ')
  throw new PortTaken(
    lines.join('\n'),
    `End that process, or choose another port with ${settings}, or another STACK_NAME and STACK_NET (127.0.1).`,
  )
}

/** Fails where the disk has too little room for jars, logs and a test's data. */
export function checkDisk(dir: string): void {
  const { bavail, bsize } = statfsSync(dir)
  const free = bavail * bsize
  if (free >= LEAST_FREE_BYTES) return
  const what = `the disk under ${dir} has ${Math.round(free / 1e6)} MB left; the stack wants ${LEAST_FREE_BYTES / 1e6}`
  throw new StackError(
    what,
    'Free some space: stacks that are no longer used lie in .stack/, jars of old versions in ~/.cache/tidemark.',
  )
}

async function tryToListen({ host, port }: Address): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const server = createServer()
  server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  return promise
}

/** Who listens on a port, as far as this user may know. */
function holderOf(port: number): string | undefined {
  const pid = output('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'])?.split('\n')[0] ?? holderBySockets(port)
  const command = pid && output('ps', ['-ww', '-o', 'command=', '-p', pid])?.trim()
  if (!command) return undefined
  const stack = /\.stack\/([\w-]+)\/([a-z]+\.\d)/.exec(command)
  return stack ? `${stack[2]} of stack "${stack[1]}" (pid ${pid})` : `pid ${pid} (${command.slice(0, 60)})`
}

function holderBySockets(port: number): string | undefined {
  return /pid=(\d+)/.exec(output('ss', ['-Hltnp', `sport = :${port}`]) ?? '')?.[1]
}
