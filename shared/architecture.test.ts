import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'

/** A room: the rooms it may import, and what from npm and from Node. What is not named is forbidden. */
interface Room {
  readonly rooms: readonly string[]
  readonly npm: readonly string[]
  /** Absent: any built-in module. */
  readonly node?: readonly string[]
}

const core = ['shared', 'shared/events', 'shared/projection', 'shared/engine']
const process: Room = {
  rooms: ['workers', ...core, 'shared/http', 'shared/kafka', 'shared/cassandra', 'shared/observability'],
  npm: ['zod', 'commander', 'fastify', '@fastify/swagger', '@fastify/swagger-ui'],
}

/** DESIGN §5: arrows go one way. `shared` and `workers` are the files that lie directly there. */
const ROOMS: Readonly<Record<string, Room>> = {
  shared: { rooms: [], npm: ['zod'] },
  'shared/events': { rooms: ['shared'], npm: ['zod'], node: [] },
  'shared/projection': {
    rooms: ['shared', 'shared/events'],
    npm: ['zod'],
    node: ['node:crypto', 'node:module', 'node:process', 'node:timers', 'node:util'],
  },
  'shared/engine': {
    rooms: ['shared', 'shared/events', 'shared/projection'],
    npm: ['p-limit'],
    node: ['node:crypto', 'node:events', 'node:timers/promises', 'node:util'],
  },
  'shared/kafka': { rooms: core, npm: ['kafkajs', 'p-limit', 'lz4-napi', 'snappy'] },
  'shared/cassandra': { rooms: core, npm: ['cassandra-driver', 'p-limit'] },
  'shared/observability': { rooms: core, npm: ['prom-client', 'pino', 'pino-pretty', '@opentelemetry/*'] },
  'shared/http': {
    rooms: [...core, 'shared/observability'],
    npm: ['fastify', '@fastify/swagger', '@fastify/swagger-ui', 'zod'],
  },
  'shared/testing': { rooms: [...process.rooms, 'k8s/dev'], npm: ['vitest', 'fast-check', 'zod'] },
  workers: process,
  'workers/projections': { rooms: ['shared/events', 'shared/projection'], npm: [], node: [] },
  'workers/projector': process,
  'workers/gateway': process,
  'workers/query': process,
  'workers/loadgen': process,
  'workers/ctl': process,
}

const ADAPTERS = ['shared/kafka', 'shared/cassandra', 'shared/observability']
const LONGEST = 300
/** A test tells many short stories in one file. */
const LONGEST_TEST = 500
/** Where adapters are built: the processes' mains, that of the command line in two files. */
const BUILDERS = /\/main\.ts$|^workers\/ctl\/servers\.ts$/

interface File {
  /** From the repository's root: `shared/events/event.ts`. */
  readonly path: string
  readonly text: string
}

interface Import {
  readonly specifier: string
  /** What is taken, as it is written: `{ a, type B }`. */
  readonly names: string
  readonly typeOnly: boolean
}

const FROM = /^\s*(?:import|export)\s+(type\s+)?([\w*{][^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]/gm
const BARE = /^\s*import\s*['"]([^'"]+)['"]|\b(?:import|require)\(\s*['"]([^'"]+)['"]/gm

/** The imports of a file: `import … from`, `export … from` and `import '…'` at the head of a line, `import('…')` anywhere. */
function importsOf(text: string): Import[] {
  return [
    ...Array.from(text.matchAll(FROM), ([, type, names = '', specifier = '']) => ({
      specifier,
      names,
      typeOnly: type !== undefined,
    })),
    ...Array.from(text.matchAll(BARE), ([, bare, dynamic = '']) => ({
      specifier: bare ?? dynamic,
      names: '*',
      typeOnly: false,
    })),
  ]
}

function roomOf(path: string): string {
  return path.split('/').slice(0, -1).slice(0, 2).join('/')
}

/** Tests, their data, and the contract suites that tests run: they never run in a worker. */
function isTest(path: string): boolean {
  return (
    /\.(test|test-d|test-data|bench)\.ts$/.test(path) ||
    /\/(testing\.ts|test-[^/]*\.ts)$/.test(path) ||
    path.startsWith('shared/engine/contracts/')
  )
}

/** Which rules a file breaks, each as a sentence. */
function faultsOf({ path, text }: File): string[] {
  const room = ROOMS[roomOf(path)]
  if (!room) return [`${path}: there is no room ${roomOf(path)}; give it a place in DESIGN §5 and here`]
  const lines = text.split('\n').length - 1
  const longest = isTest(path) ? LONGEST_TEST : LONGEST
  return [
    ...(lines > longest ? [`${path} has ${lines} lines; ${longest} is the most`] : []),
    ...importsOf(text)
      .flatMap((one) => importFault(path, room, one) ?? [])
      .map((fault) => `${path} ${fault}`),
  ]
}

function importFault(path: string, room: Room, imported: Import): string | undefined {
  const { specifier } = imported
  if (specifier.startsWith('node:')) {
    const listed = room.node === undefined || isTest(path) || room.node.includes(specifier)
    return listed ? undefined : `imports ${specifier}, which is not listed for ${roomOf(path)}`
  }
  if (specifier.endsWith('/package.json')) return undefined
  const target = targetOf(path, specifier)
  return target === undefined ? npmFault(path, room, specifier) : arrowFault(path, room, target, imported)
}

/** The file meant, if it is one of ours; `tidemark` is what authors call our projection room. */
function targetOf(path: string, specifier: string): string | undefined {
  if (specifier === 'tidemark') return 'shared/projection/index.ts'
  if (specifier === 'tidemark/spec') return 'shared/projection/spec.ts'
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined
}

function npmFault(path: string, room: Room, specifier: string): string | undefined {
  const parts = specifier.split('/')
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
  if (room.npm.includes(name) || room.npm.includes(`${parts[0]}/*`)) return undefined
  if (isTest(path) && ['vitest', 'fast-check', 'zod'].includes(name)) return undefined
  return `imports ${name}, which is not for ${roomOf(path)}`
}

function arrowFault(path: string, room: Room, target: string, imported: Import): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)]
  if (from === to) return undefined
  const test = isTest(path)
  if (to === 'shared/testing' || to === 'k8s/dev') {
    return test || from === 'shared/testing' ? undefined : `imports ${target}, which is for tests only`
  }
  if (from === 'workers/ctl' && posix.basename(target) === 'main.ts') return undefined
  if (test && from.startsWith('workers') && to.startsWith('workers')) return undefined
  if (!room.rooms.includes(to)) return `imports ${target}: no arrow goes from ${from} to ${to}`
  if (from.startsWith('workers') && !test && !BUILDERS.test(path) && builds(to, imported)) {
    return `imports ${target}, but only main.ts files build adapters (import its types, and take it as an argument)`
  }
  return undefined
}

/** Of observability everybody may use what builds nothing, like reading a trace parent. */
function builds(room: string, { names, typeOnly }: Import): boolean {
  if (!ADAPTERS.includes(room) || typeOnly) return false
  return room !== 'shared/observability' || /\*|\b(create|start)[A-Z]/.test(names)
}

const root = join(import.meta.dirname, '..')
const paths = ['shared', 'workers'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((path) =>
    posix.join(top, path.replaceAll('\\', '/')),
  ),
)
const files = paths
  .filter((path) => path.endsWith('.ts') && path !== 'shared/architecture.test.ts') // whose imports are made up
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

describe('the repository', () => {
  test('keeps every rule of DESIGN §5', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(files.flatMap(faultsOf)).toEqual([])
  })

  test('explains each room in a README.md', () => {
    const rooms = [...new Set(files.map(({ path }) => roomOf(path)))].filter((room) => room.includes('/'))
    expect(rooms.filter((room) => !paths.includes(`${room}/README.md`))).toEqual([])
  })
})

describe('the rules', () => {
  const faults = (path: string, text: string) => faultsOf({ path, text })

  test.each<[string, string]>([
    ['shared/projection/fold.ts', "import { decoder } from '../events/decode.ts'"],
    ['shared/engine/memory/log.ts', "import { z } from '../../events/event.ts'\nimport limit from 'p-limit'"],
    ['shared/kafka/source.ts', "import kafka from 'kafkajs/src/index.js'\nimport net from 'node:net'"],
    ['shared/observability/tracing.ts', "const api = await import('@opentelemetry/api')"],
    ['shared/kafka/source.int.test.ts', "import { test } from 'vitest'\nimport { stack } from '../testing/stack.ts'"],
    ['shared/testing/stack.ts', "import { settings } from '../../k8s/dev/settings.ts'"],
    [
      'workers/projections/stock.ts',
      "import { table } from 'tidemark'\nimport { carts } from '../../shared/events/index.ts'",
    ],
    ['workers/projector/main.ts', "import { kafkaSource } from '../../shared/kafka/index.ts'"],
    ['workers/query/answer.ts', "import type { Session } from '../../shared/cassandra/index.ts'"],
    ['workers/query/answer.ts', "import { type Logger, errorFields } from '../../shared/observability/index.ts'"],
    ['workers/ctl/main.ts', "const { run } = await import('../gateway/main.ts')"],
    ['workers/ctl/new.ts', "import { tableName } from '../../shared/projection/projection.ts'"],
    [
      'shared/events/event.ts',
      "/**\n * import { Kafka } from 'kafkajs'\n */\n// import 'kafkajs'\nexport const from = 'kafkajs'",
    ],
  ])('let %s be', (path, text) => {
    expect(faults(path, text)).toEqual([])
  })

  test.each<[string, string, RegExp]>([
    [
      'shared/events/decode.ts',
      "import type { Fold } from '../projection/fold.ts'",
      /no arrow goes from shared\/events to shared\/projection/,
    ],
    [
      'shared/events/decode.ts',
      "import { table } from 'tidemark'",
      /no arrow goes from shared\/events to shared\/projection/,
    ],
    ['shared/events/decode.ts', "import {\n  a,\n  b,\n} from '../engine/ports.ts'", /no arrow/],
    ['shared/events/decode.ts', "export * from '../engine/ports.ts'", /no arrow/],
    ['shared/events/decode.ts', "import fs from 'node:fs'", /node:fs, which is not listed for shared\/events/],
    ['shared/engine/loop.ts', "import { Kafka } from 'kafkajs'", /imports kafkajs, which is not for shared\/engine/],
    ['shared/engine/loop.ts', "import api from '@opentelemetry/api'", /imports @opentelemetry\/api/],
    [
      'shared/engine/loop.test.ts',
      "import { session } from '../cassandra/session.ts'",
      /no arrow goes from shared\/engine to shared\/cassandra/,
    ],
    [
      'shared/kafka/source.ts',
      "import '../cassandra/session.ts'",
      /no arrow goes from shared\/kafka to shared\/cassandra/,
    ],
    ['shared/kafka/source.ts', "const k = await import('cassandra-driver')", /imports cassandra-driver/],
    ['shared/cassandra/session.ts', "import { log } from '../observability/log.ts'", /no arrow/],
    [
      'shared/cassandra/session.ts',
      "import { run } from '../../workers/ctl/run.ts'",
      /no arrow goes from shared\/cassandra to workers\/ctl/,
    ],
    ['shared/kafka/source.ts', "import { stack } from '../testing/stack.ts'", /for tests only/],
    ['shared/kafka/source.ts', "import { test } from 'vitest'", /imports vitest/],
    [
      'workers/query/answer.ts',
      "import { session } from '../../shared/cassandra/session.ts'",
      /only main.ts files build adapters/,
    ],
    [
      'workers/query/answer.ts',
      "import { type Session } from '../../shared/cassandra/index.ts'",
      /only main.ts files build adapters/,
    ],
    [
      'workers/query/answer.ts',
      "import { createLogger } from '../../shared/observability/index.ts'",
      /only main.ts files build adapters/,
    ],
    [
      'workers/query/answer.ts',
      "import { limits } from '../gateway/limits.ts'",
      /no arrow goes from workers\/query to workers\/gateway/,
    ],
    [
      'workers/ctl/publish.ts',
      "import { limits } from '../gateway/limits.ts'",
      /no arrow goes from workers\/ctl to workers\/gateway/,
    ],
    ['workers/projections/stock.ts', "import { foldRun } from '../../shared/engine/index.ts'", /no arrow/],
    ['workers/projections/stock.ts', "import { TidemarkError } from '../../shared/errors.ts'", /no arrow/],
    ['workers/projections/stock.ts', "import { z } from 'zod'", /imports zod/],
    ['workers/projections/stock.ts', "import { randomUUID } from 'node:crypto'", /node:crypto/],
    ['shared/utils/text.ts', '', /there is no room shared\/utils/],
    ['shared/events/decode.ts', '\n'.repeat(301), /has 301 lines; 300 is the most/],
  ])('stop %s with %j', (path, text, fault) => {
    expect(faults(path, text)).toEqual([expect.stringMatching(fault)])
  })
})
