import { spawn } from 'node:child_process'

/**
 * Runs a program to its end and gives its standard output. Rejects with what it wrote on standard error if it fails or can't be started.
 */
export async function program(
  name: string,
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  const child = spawn(name, args, { env: { ...process.env, ...env } })
  const texts = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] += text
    })
  child.on('error', reject).on('close', resolve)
  // A program that reads nothing may close its input first.
  child.stdin.on('error', () => {}).end(input)
  const code = await promise
  if (code === 0) return texts.stdout
  const said = (texts.stderr || texts.stdout).trim().slice(-4_000)
  throw new Error(`${name} ${args.join(' ').slice(0, 200)} ended with ${code}:\n${said}`)
}
