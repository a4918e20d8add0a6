import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { StackError } from './errors.ts'
import { output } from './process.ts'

/** The one version that both run on: Kafka 4 needs 17 or newer, Cassandra 5.0 runs on 11 and 17 only. */
const NEEDED = 17

const REMEDY =
  'Install a Java 17 runtime (`apt-get install openjdk-17-jre-headless`, `brew install openjdk@17`) or set JAVA_HOME to one.'

let found: string | undefined

/** A Java 17, wherever it is installed: JAVA_HOME, then PATH, then where systems keep their runtimes. */
export function findJava(): string {
  found ??= chooseJava(candidates(), versionOf)
  return found
}

/** The first candidate of the needed version; where there is none, the error names what was found instead. */
export function chooseJava(paths: string[], version: (path: string) => number | undefined): string {
  const others: string[] = []
  for (const path of paths) {
    const got = version(path)
    if (got === NEEDED) return path
    if (got !== undefined) others.push(`${path} is Java ${got}`)
  }
  const what = others.length === 0 ? 'no Java was found' : `no Java ${NEEDED} was found: ${others.join(', ')}`
  throw new StackError(what, REMEDY)
}

/** `17` of `openjdk version "17.0.15"`, `8` of `java version "1.8.0_402"`. */
export function parseVersion(output: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? []
  if (!first) return undefined
  return Number(first === '1' ? second : first)
}

function versionOf(path: string): number | undefined {
  const { stderr, status } = spawnSync(path, ['-version'], { encoding: 'utf8' })
  return status === 0 ? parseVersion(stderr) : undefined
}

function candidates(): string[] {
  const { JAVA_HOME, PATH = '' } = process.env
  const own = JAVA_HOME ? [join(JAVA_HOME, 'bin')] : []
  return [...own, ...PATH.split(':').filter(Boolean), ...installed().map((home) => join(home, 'bin'))].map((dir) =>
    join(dir, 'java'),
  )
}

function installed(): string[] {
  if (process.platform === 'darwin') {
    const home = output('/usr/libexec/java_home', ['-v', String(NEEDED)])?.trim()
    return home ? [home] : []
  }
  try {
    return readdirSync('/usr/lib/jvm').map((name) => join('/usr/lib/jvm', name))
  } catch {
    return []
  }
}
