import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findJava } from './java.ts'
import { jvmFlags } from './jvm.ts'
import { startServer } from './process.ts'
import type { Settings, StackNode } from './settings.ts'

const OPTIONS = `@${join(import.meta.dirname, 'cassandra', 'jvm.options')}`

/** Starts one node. `durable` settings keep every acknowledged write over kill -9: see README.md for what the others lose. */
export async function startCassandra(settings: Settings, node: StackNode, jars: string): Promise<void> {
  mkdirSync(node.dir, { recursive: true })
  const yaml = join(node.dir, 'cassandra.yaml')
  const rack = join(node.dir, 'cassandra-rackdc.properties')
  writeFileSync(yaml, nodeYaml(settings, node))
  writeFileSync(rack, `dc=dc1\nrack=rack${node.index}\n`)
  writeFileSync(join(node.dir, 'logback.xml'), LOGGING)
  const agent = readdirSync(jars).find((jar) => jar.startsWith('jamm-'))
  const jmx = node.ports.find(({ setting }) => setting === 'JMX_PORT')?.address.port
  await startServer(node.dir, findJava(), [
    OPTIONS,
    `-javaagent:${join(jars, agent ?? 'jamm.jar')}`,
    `-Xms${settings.cassandraHeap}`,
    `-Xmx${settings.cassandraHeap}`,
    ...jvmFlags(settings.jvm),
    `-Dcassandra.config=file://${yaml}`,
    `-Dcassandra-rackdc.properties=file://${rack}`,
    `-Dcassandra.storagedir=${node.dir}`,
    `-Dcassandra.logdir=${node.dir}`,
    `-Dlogback.configurationFile=${join(node.dir, 'logback.xml')}`,
    `-Dcassandra.jmx.local.port=${jmx}`,
    `-Djava.io.tmpdir=${node.dir}`,
    '-Dcassandra-foreground=yes',
    // Everything a real ring waits for in case somebody is late; here the ring is this list of processes.
    '-Dcassandra.skip_wait_for_gossip_to_settle=0',
    '-Dcassandra.load_ring_state=false',
    '-Dcassandra.ring_delay_ms=1000',
    '-Dcassandra.shutdown_announce_in_ms=200',
    '-Dcassandra.superuser_setup_delay_ms=0',
    ...(settings.durable ? [] : ['-Dcassandra.unsafesystem=true']),
    // The node's folder comes first: the snitch looks for its rack file on the class path.
    '-cp',
    `${node.dir}:${jars}/*`,
    'org.apache.cassandra.service.CassandraDaemon',
  ])
}

/** The node's whole configuration: everything that is not a default. */
export function nodeYaml(settings: Settings, node: StackNode): string {
  const port = (setting: string) => node.ports.find((of) => of.setting === setting)?.address.port ?? 0
  const token = BigInt(node.index - 1) * 3_074_457_345_618_258_602n
  const log = settings.durable
    ? { commitlog_sync: 'batch' }
    : { commitlog_sync: 'periodic', commitlog_sync_period: '10s' }
  const yaml: Record<string, unknown> = {
    cluster_name: `tidemark-${settings.name}`,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'GossipingPropertyFileSnitch',
    num_tokens: 1,
    initial_token: String(token),
    auto_bootstrap: false,
    storage_port: port('STORAGE_PORT'),
    ssl_storage_port: port('STORAGE_PORT') + 1,
    native_transport_port: port('CQL_PORT'),
    start_native_transport: true,
    listen_address: node.host,
    rpc_address: node.host,
    broadcast_rpc_address: node.told.host,
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: settings.nodes[0]?.host }],
      },
    ],
    data_file_directories: [join(node.dir, 'data')],
    commitlog_directory: join(node.dir, 'commitlog'),
    saved_caches_directory: join(node.dir, 'saved_caches'),
    hints_directory: join(node.dir, 'hints'),
    cdc_raw_directory: join(node.dir, 'cdc'),
    ...log,
    commitlog_segment_size: '16MiB',
    auto_snapshot: false,
    concurrent_writes: 32,
    memtable_allocation_type: 'heap_buffers',
    disk_access_mode: 'mmap_index_only',
  }
  // JSON is YAML.
  return `${Object.entries(yaml)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n')}\n`
}

/** Runs nodetool against a node's JMX port, on this terminal; gives its exit code. */
export function nodetool(settings: Settings, jars: string, args: string[]): number {
  const node = settings.nodes[0]
  const jmx = node?.ports.find(({ setting }) => setting === 'JMX_PORT')?.address.port
  const flags = [OPTIONS, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', `-Duser.home=${settings.dir}`]
  const quiet = [
    `-Dcassandra.storagedir=${settings.dir}`,
    `-Dlogback.configurationFile=${join(node?.dir ?? '', 'logback.xml')}`,
    '-Dcass.log.level=ERROR',
  ]
  const tool = ['-cp', `${jars}/*`, 'org.apache.cassandra.tools.NodeTool', '-h', '127.0.0.1', '-p', String(jmx)]
  return spawnSync(findJava(), [...flags, ...quiet, ...tool, ...args], { stdio: 'inherit' }).status ?? 1
}

const LOGGING = `<configuration>
  <appender name="O" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %msg [%logger{0}]%n</pattern></encoder>
  </appender>
  <root level="\${cass.log.level:-INFO}"><appender-ref ref="O"/></root>
</configuration>
`
