import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StackError } from './errors.ts'
import { findJava } from './java.ts'
import { jvmFlags } from './jvm.ts'
import { lastLines, startServer } from './process.ts'
import type { Settings, StackNode } from './settings.ts'

/**
 * Starts one broker. It is controller and broker at once (KRaft). An acknowledged record survives kill -9 of the broker
 * without fsync, since the operating system holds what was written.
 */
export async function startKafka(settings: Settings, node: StackNode, jars: string): Promise<void> {
  mkdirSync(node.dir, { recursive: true })
  writeFileSync(join(node.dir, 'server.properties'), brokerProperties(settings, node))
  writeFileSync(join(node.dir, 'log4j2.yaml'), LOGGING)
  if (!existsSync(join(node.dir, 'data', 'meta.properties'))) await format(settings, node, jars)
  const args = ['-Xms128m', `-Xmx${settings.kafkaHeap}`, ...jvmFlags(settings.jvm)]
  await startServer(node.dir, findJava(), [
    ...args,
    ...java(node, jars),
    'kafka.Kafka',
    join(node.dir, 'server.properties'),
  ])
}

/** The broker's whole configuration: everything that is not a default, for few topics, few clients and quick tests. */
export function brokerProperties(settings: Settings, node: StackNode): string {
  const { brokers } = settings
  const controller = (of: StackNode) => `${of.host}:${of.client.port + 1000}`
  const client = `${node.client.host}:${node.client.port}`
  const peers = `${node.host}:${node.client.port + 2000}`
  const proxied = node.told.host !== node.host
  const copies = brokers.length
  const inSync = copies === 1 ? 1 : 2
  const properties: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': node.index,
    'controller.quorum.voters': brokers.map((of) => `${of.index}@${controller(of)}`).join(','),
    listeners: `PLAINTEXT://${client},CONTROLLER://${controller(node)}${proxied ? `,PEERS://${peers}` : ''}`,
    'advertised.listeners': `PLAINTEXT://${node.told.host}:${node.told.port}${proxied ? `,PEERS://${peers}` : ''}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PEERS:PLAINTEXT',
    'inter.broker.listener.name': proxied ? 'PEERS' : 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(node.dir, 'data'),
    'auto.create.topics.enable': false,
    'num.partitions': 1,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': copies === 1 ? 1 : 6,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    // A group's first member would wait 3 s for others.
    'group.initial.rebalance.delay.ms': 0,
    // Fault tests want a killed member to be missed after 1 s; the default floor is 6 s.
    'group.min.session.timeout.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'log.segment.bytes': 134_217_728,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 1,
  }
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`
}

async function format(settings: Settings, node: StackNode, jars: string): Promise<void> {
  const log = join(node.dir, 'format.log')
  const out = openSync(log, 'w')
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId(settings)]
  const args = [
    ...quick,
    ...java(node, jars),
    ...tool,
    '--config',
    join(node.dir, 'server.properties'),
    '--ignore-formatted',
  ]
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const child = spawn(findJava(), args, { stdio: ['ignore', out, out] })
  child.on('error', reject)
  child.on('exit', (code) => {
    if (code === 0) resolve()
    else reject(new StackError(`${node.name}: formatting its storage failed:\n${lastLines(log, 15)}`, `Read ${log}.`))
  })
  return promise
}

// All brokers of a stack must agree on it, over restarts too.
function clusterId(settings: Settings): string {
  const file = join(settings.dir, 'cluster.id')
  if (!existsSync(file))
    writeFileSync(file, Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'a'))
  return readFileSync(file, 'utf8')
}

function java(node: StackNode, jars: string): string[] {
  return ['-Djava.awt.headless=true', `-Dlog4j2.configurationFile=${join(node.dir, 'log4j2.yaml')}`, '-cp', `${jars}/*`]
}

const LOGGING = `Configuration:
  status: warn
  Appenders: { Console: { name: C, PatternLayout: { pattern: "%d{HH:mm:ss.SSS} %p %m (%c{1})%n" } } }
  Loggers:
    Root: { level: WARN, AppenderRef: { ref: C } }
    Logger: [{ name: kafka.server.KafkaRaftServer, level: INFO }]
`
