import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { StackError } from './errors.ts'
import { findJava } from './java.ts'
import { locked } from './lock.ts'
import type { Progress, Step } from './progress.ts'
import type { Service } from './settings.ts'

// 3.8.1 is pinned because older Mavens resolve another one that ignores includeScope.
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

// Natives of systems that this stack doesn't run on: half of Cassandra's download.
const FOREIGN =
  process.platform === 'darwin' ? /-(windows|linux)-[\w-]+\.jar$/ : /-(windows|osx|linux-riscv64)[\w-]*\.jar$/

export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tidemark')
}

/** Where a service's jars are kept. The name follows from the pom's content: a changed pom is another folder. */
export function jarsDir(service: Service): string {
  const pom = readFileSync(pomFile(service))
  return join(cacheDir(), 'jars', `${service}-${createHash('sha256').update(pom).digest('hex').slice(0, 10)}`)
}

/**
 * The folder with a service's jars, fetched from Maven Central on first use.
 * The folder appears complete or not at all; two stacks that start at once fetch once.
 */
export async function jars(service: Service, progress: Progress, cancel: AbortSignal): Promise<string> {
  const target = jarsDir(service)
  if (existsSync(target)) return target
  const waiting = (pid: number) => progress.say(`${service}: process ${pid} is fetching the jars, waiting for it`)
  return locked(
    `${target}.lock`,
    waiting,
    async () => {
      if (!existsSync(target)) await fetch(service, target, progress.step(`${service} jars`), cancel)
      return target
    },
    cancel,
  )
}

async function fetch(service: Service, target: string, step: Step, cancel: AbortSignal): Promise<void> {
  const parent = join(cacheDir(), 'jars')
  mkdirSync(parent, { recursive: true })
  // We hold this folder's lock, so what lies here is from a fetch that was killed.
  const prefix = `.${basename(target)}-`
  for (const name of readdirSync(parent))
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true })
  const temporary = mkdtempSync(join(parent, prefix))
  const measure = setInterval(() => step.detail(`${Math.round(sizeOf(temporary) / 1e6)} MB`), 500)
  try {
    // A repository of its own: Maven's shared one is not safe for two Mavens at once.
    const args = ['-q', '-B', '-f', pomFile(service), `-Dmaven.repo.local=${temporary}/repository`, COPY]
    await maven(service, [...args, `-DoutputDirectory=${temporary}/jars`, '-DincludeScope=runtime'], cancel)
    for (const jar of readdirSync(join(temporary, 'jars'))) if (FOREIGN.test(jar)) rmSync(join(temporary, 'jars', jar))
    renameSync(join(temporary, 'jars'), target)
    step.done(`fetched, ${Math.round(sizeOf(target) / 1e6)} MB`)
  } finally {
    clearInterval(measure)
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function maven(service: Service, args: string[], cancel: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const env = { ...process.env, JAVA_HOME: dirname(dirname(realpathSync(findJava()))) }
  const child = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'], signal: cancel, env })
  let said = ''
  const keep = (chunk: Buffer) => {
    said = (said + chunk).slice(-2000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', (error: NodeJS.ErrnoException) => {
    const missing = new StackError(
      'neither a Docker daemon with Compose nor Maven (`mvn`) was found',
      'Start Docker, or install Maven: `apt-get install maven`, `brew install maven`.',
    )
    reject(error.code === 'ENOENT' ? missing : error)
  })
  child.on('exit', (code) => {
    const remedy = 'Is the network, or a proxy or mirror in ~/.m2/settings.xml, in order? Then run it again.'
    if (code === 0) resolve()
    else reject(new StackError(`fetching the jars of ${service} failed (mvn exit ${code}):\n${said.trim()}`, remedy))
  })
  return promise
}

function pomFile(service: Service): string {
  return join(import.meta.dirname, service, 'pom.xml')
}

function sizeOf(dir: string): number {
  let total = 0
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    try {
      total += statSync(join(dir, name)).size
    } catch {
      // Maven renames its parts while we count.
    }
  }
  return total
}
