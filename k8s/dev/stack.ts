import { parseArgs } from 'node:util'
import { nodetool } from './cassandra.ts'
import { StackError } from './errors.ts'
import { jars } from './jars.ts'
import { keepRunning } from './leases.ts'
import { down, runnerOf, startNode, status, up } from './lifecycle.ts'
import { logFile } from './process.ts'
import { showProgress } from './progress.ts'
import { recordedSettings, settingsOf } from './record.ts'
import { addresses, everyNode, type Settings, type StackNode } from './settings.ts'

const USAGE = `A real Kafka and a real Cassandra on loopback.

  node k8s/dev/stack.ts up                      start, and wait until both answer
  node k8s/dev/stack.ts down [--wipe]           end; --wipe removes the data too
  node k8s/dev/stack.ts status                  what runs, and whether it answers
  node k8s/dev/stack.ts env                     the variables that point Tidemark at it
  node k8s/dev/stack.ts kill|start NODE         kill -9 one server, start it again (NODE: kafka.1, cassandra.2)
  node k8s/dev/stack.ts pause|resume NODE       SIGSTOP, SIGCONT
  node k8s/dev/stack.ts nodetool ARGS           Cassandra's own tool, against cassandra.1

Settings are variables: see k8s/dev/README.md.`

const root = new URL('../..', import.meta.url).pathname
const progress = showProgress()
const cancelled = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    cancelled.abort(new StackError(`${name}: what this call had started was ended`, 'Run it again.')),
  )
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  progress.close()
  const known = error instanceof StackError
  process.stderr.write(known ? `stack: ${error}\n` : `stack: unexpected failure\n${(error as Error).stack}\n`)
  process.exitCode = 1
} finally {
  progress.close()
}

async function main([command, ...rest]: string[]): Promise<number> {
  const settings = recordedSettings(process.env, root)
  switch (command) {
    case 'up': {
      const { settings, started } = await up(settingsOf(process.env, root), progress, cancelled.signal)
      keepRunning(settings.dir)
      progress.say(
        started.length === 0 ? `stack "${settings.name}" is running already` : `stack "${settings.name}" is ready`,
      )
      for (const [name, value] of Object.entries(addresses(settings))) progress.say(`  ${name}=${value}`)
      return 0
    }
    case 'down': {
      const { values } = parseArgs({ args: rest, options: { wipe: { type: 'boolean', default: false } } })
      const ended = await down(settings, progress, values)
      progress.say(ended.length === 0 ? `stack "${settings.name}" was not running` : `ended ${ended.join(', ')}`)
      return 0
    }
    case 'status':
      return report(settings)
    case 'env':
      for (const [name, value] of Object.entries(addresses(settings))) console.log(`export ${name}=${value}`)
      return 0
    case 'kill':
    case 'pause':
    case 'resume': {
      const runner = await runnerOf(settings)
      await runner[command](settings, nodeNamed(settings, rest[0]))
      return 0
    }
    case 'start':
      await startNode(settings, nodeNamed(settings, rest[0]), progress, cancelled.signal)
      return 0
    case 'nodetool':
      return nodetool(settings, await jars('cassandra', progress, cancelled.signal), rest)
    default:
      console.log(USAGE)
      return command === undefined || command === 'help' || command === '--help' ? 0 : 64
  }
}

async function report(settings: Settings): Promise<number> {
  const states = await status(settings)
  for (const { node, state } of states) {
    console.log(
      `${node.name.padEnd(12)} ${`${node.client.host}:${node.client.port}`.padEnd(18)} ${state.padEnd(19)} ${logFile(node.dir)}`,
    )
  }
  return states.every(({ state }) => state === 'ready') ? 0 : 1
}

function nodeNamed(settings: Settings, name: string | undefined): StackNode {
  const nodes = everyNode(settings)
  const node = nodes.find((of) => of.name === name)
  if (node) return node
  throw new StackError(
    `there is no server "${name ?? ''}" in stack "${settings.name}"`,
    `One of ${nodes.map((of) => of.name).join(', ')}.`,
  )
}
