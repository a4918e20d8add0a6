#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander'
import { readConfig } from '../../shared/config.ts'
import type { Position } from '../../shared/events/position.ts'
import { duration, number, position, versionNumber } from './arguments.ts'
import { exitCode, lastWords } from './exit.ts'
import { doctorTools, withKafka, withServers, withStatus } from './servers.ts'
import { version } from './version.ts'

/** What a command gives: an exit code; anything else is 0. Each loads what it needs when it is run, so that `--help` is quick. */
type Outcome = Promise<unknown>

const program = new Command('tidemark')
  .description('Event sourcing with Kafka and Cassandra: projections that late writers cannot corrupt.')
  .version(version)
  .exitOverride()
  .addHelpText(
    'after',
    '\nSettings are environment variables (KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS, …); unset, the local stack is meant.\n`tidemark doctor` checks them all.',
  )

let outcome: Outcome = Promise.resolve()
/** Commander's actions, with the outcome kept: it is the process's. */
const does =
  <Args extends unknown[]>(work: (...args: Args) => Outcome) =>
  (...args: Args) => {
    outcome = work(...args)
    return outcome.then(() => undefined)
  }

/** The options that were given. */
const given = (options: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

program
  .command('init')
  .description('create keyspace, tables and topics; safe to run again')
  .argument('[names...]', 'projections; all if none is named')
  .option(
    '--serves <process>',
    'what is to run with these projections, to be checked first: JSON, { name, run?, topics?, partitions?, env? }; may be repeated',
    (text: string, before: readonly string[]) => [...before, text],
    [],
  )
  .action(
    does(async (names: string[], { serves }) => {
      const { checkServing } = await import('./serving.ts')
      if (serves.length > 0) await withKafka((kafka) => checkServing(serves, kafka))
      return withServers(async ({ config, session, schema, admin, projections, clock }) => {
        const { initCommand, initOptions } = await import('./init.ts')
        return initCommand(
          names.length === 0 ? projections.all : names.map(projections.get),
          { session, schema, admin, clock },
          initOptions(config),
          process.stdout,
          process.stderr,
        )
      })
    }),
  )

program
  .command('run')
  .description('the projector, for one or more projections')
  .argument('<names...>', 'projections: `cart-summary`, or one version of it: `cart-summary.v1`')
  .action(does(async (names: string[]) => (await import('../projector/main.ts')).runProjectors(readConfig(), names)))

program
  .command('gateway')
  .description('takes events over HTTP, checks them and publishes them')
  .action(does(async () => (await import('../gateway/main.ts')).runGateway(readConfig())))

program
  .command('query')
  .description('answers from the views over HTTP')
  .action(does(async () => (await import('../query/main.ts')).runQuery(readConfig())))

program
  .command('loadgen')
  .description('a made-up shop that produces events at a steady rate')
  .addOption(new Option('--rate <events>', 'events per second').default(200).argParser(number))
  .addOption(new Option('--duration <time>', 'how long: 30s, 5m, 1h').argParser(duration))
  .addOption(new Option('--events <count>', 'how many').argParser(number))
  .addOption(new Option('--seed <number>', 'which shop; the same seed gives the same events').argParser(number))
  .addOption(
    new Option('--via <way>', 'straight into Kafka, or through the gateway')
      .choices(['kafka', 'gateway'])
      .default('kafka'),
  )
  .option('--gateway <url>', "the gateway's address", 'http://127.0.0.1:8080')
  .addOption(
    new Option('--mode <mode>', 'how events are written').choices(['mixed', 'structured', 'binary']).default('mixed'),
  )
  .addOption(new Option('--products <count>', 'products in the shop').argParser(number))
  .addOption(new Option('--customers <count>', 'customers').argParser(number))
  .addOption(new Option('--skew <exponent>', 'how much more popular the popular products are').argParser(number))
  .action(
    does(async ({ rate, duration, events, seed, via, gateway, mode, products, customers, skew }) => {
      const { runLoadgen } = await import('../loadgen/main.ts')
      const shop = given({ seed, products, customers, skew })
      const bounds = given({ durationSeconds: duration, events })
      return runLoadgen(readConfig(), { rate, via, gateway, mode, shop, ...bounds })
    }),
  )

program
  .command('publish')
  .description('publish CloudEvents, one JSON document a line, from a file or standard input')
  .argument('[file]', 'a path, or - for standard input', '-')
  .option('--topic <name>', 'publish to this topic; types no projection knows are then only checked as CloudEvents')
  .addOption(
    new Option('--mode <mode>', 'how they are written into Kafka')
      .choices(['structured', 'binary'])
      .default('structured'),
  )
  .option('--strict', 'stop at the first line that is refused', false)
  .action(
    does(async (file: string, options) =>
      withKafka(async ({ publisher, topics }) => {
        const { runPublish } = await import('./publish-run.ts')
        return runPublish({ file, ...options }, topics, publisher)
      }),
    ),
  )

program
  .command('status')
  .description('per projection and version: state, lag, age, rate, time to drain, members, dead letters')
  .argument('[names...]', 'projections; all if none is named')
  .option('--watch', 'redraw every two seconds')
  .option('--json', 'for programs')
  .action(
    does(async (names: string[], options) =>
      withStatus(async ({ projections, status, interrupted }) => {
        const { statusCommand } = await import('./status-command.ts')
        return statusCommand(
          projections.named(names),
          status,
          { ...options, only: names.length > 0, signal: interrupted },
          process.stdout,
          process.stderr,
        )
      }),
    ),
  )

program
  .command('verify')
  .description('prove that a view equals an independent fold of the log; exit 1 and the differences where it does not')
  .argument('<names...>', 'projections')
  .option('--json', 'for programs')
  .addOption(
    new Option('--catch-up <time>', 'how long to wait for the workers to catch up')
      .default(60, '60s')
      .argParser(duration),
  )
  .action(
    does(async (names: string[], { json, catchUp }) =>
      withServers(async ({ projections, books, log, reader, clock, interrupted }) => {
        const { verifyCommand } = await import('./verify/command.ts')
        let code = 0
        for (const projection of names.map(projections.get)) {
          const ports = { log, reader: reader(projection), clock, ...books(projection) }
          code = Math.max(
            code,
            await verifyCommand(
              projection,
              ports,
              { json, catchUpMs: catchUp * 1000, signal: interrupted },
              process.stdout,
              process.stderr,
            ),
          )
        }
        return code
      }),
    ),
  )

program
  .command('doctor')
  .description('check configuration, connectivity, versions and topic settings; each finding with its remedy')
  .option('--running <versions...>', 'must have workers, within half a minute: stock.v1')
  .option('--json', 'for programs')
  .action(
    does(async (options) => {
      const { doctorCommand } = await import('./doctor/command.ts')
      const tools = doctorTools()
      return doctorCommand(tools, options, process.stdout).finally(tools.close)
    }),
  )

program
  .command('switch')
  .description('let readers see another version of a view: the newest, or the one named')
  .argument('<name>', 'projection')
  .argument('[version]', 'as `tidemark status` lists them', versionNumber)
  .option('--despite-lag', 'also if it lacks events: not caught up, or waiting behind dead letters')
  .action(
    does(async (name: string, wanted: number | undefined, options) =>
      withServers(async ({ versions }) =>
        (await import('./switch-command.ts')).switchCommand(name, wanted, versions, options, process.stdout),
      ),
    ),
  )

program
  .command('rollback')
  .description('let readers see again what they saw before the last switch')
  .argument('<name>', 'projection')
  .action(
    does(async (name: string) =>
      withServers(async ({ versions }) =>
        (await import('./switch-command.ts')).rollbackCommand(name, versions, process.stdout),
      ),
    ),
  )

const deadLetters = program.command('dead-letters').description('poison events, and what waits behind them')

deadLetters
  .command('list')
  .argument('[names...]', 'projections; all if none is named')
  .option('--all', 'also those that were applied or skipped')
  .option('--json', 'for programs')
  .action(
    does(async (names: string[], options) =>
      withServers(async ({ desks }) => {
        const { listCommand } = await import('./dead-letters-command.ts')
        return listCommand(names, desks, options, process.stdout)
      }),
    ),
  )

deadLetters
  .command('show')
  .argument('<position>', 'topic/partition/offset', position)
  .option('--projection <name>', 'only of this projection')
  .option('--json', 'for programs')
  .action(
    does(async (at: Position, options) =>
      withServers(async ({ desks }) => {
        const { showCommand } = await import('./dead-letters-command.ts')
        return showCommand(at, desks, options, process.stdout)
      }),
    ),
  )

for (const [action, description] of [
  ['retry', 'apply it again, and what waits behind it in log order: after the handler was repaired'],
  ['skip', 'leave it out for good, and apply what waits behind it'],
] as const) {
  deadLetters
    .command(action)
    .description(description)
    .argument('[position]', 'topic/partition/offset', position)
    .option('--all', 'every dead letter of the projection')
    .option('--projection <name>', 'of this projection; needed where several have one at the position')
    .addOption(
      new Option('--wait <time>', 'how long to wait for the worker that owns the partition')
        .default(30, '30s')
        .argParser(duration),
    )
    .action(
      does(async (at: Position | undefined, options) =>
        withServers(async ({ desks }) => {
          const { decideCommand } = await import('./dead-letters-command.ts')
          return decideCommand(action, at, desks, { ...options, waitMs: options.wait * 1000 }, process.stdout)
        }),
      ),
    )
}

program
  .command('new')
  .description('write a new file to begin with')
  .command('projection')
  .argument('<name>', 'kebab-case: open-invoices')
  .option('--folder <path>', 'where to', '.')
  .description('a projection and its test')
  .action(
    does(async (name: string, { folder }) =>
      (await import('./new-projection.ts')).newProjection(name, folder, process.stdout),
    ),
  )

// Whoever reads the output has seen enough (`| head`): that is no fault.
for (const output of [process.stdout, process.stderr])
  output.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  await program.parseAsync()
  // Clients of servers that are away may still hold timers; what had to be done is done.
  const code = await outcome
  process.exit(typeof code === 'number' ? code : 0)
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 64)
  process.stderr.write(lastWords(error))
  process.exit(exitCode(error))
}
