import { join } from 'node:path'
import { StackError } from './errors.ts'

export type Service = 'kafka' | 'cassandra'
export type Address = { host: string; port: number }

/** One server of the stack. Its name (`kafka.1`) is what `kill`, `start`, `pause` and `resume` take. */
export type StackNode = {
  name: string
  service: Service
  index: number
  host: string
  dir: string
  client: Address
  /** Where its clients are told to find it: at a proxy, if STACK_PROXY_NET names one's net. */
  told: Address
  /** Every port it binds, by the setting that moves it. */
  ports: { setting: string; address: Address }[]
}

/** Where a stack lies and how large it is. Derived from the environment only, so that it can be recorded and repeated. */
export type Settings = {
  name: string
  /** The repository's folder. */
  root: string
  dir: string
  net: string
  mode: 'auto' | 'docker' | 'jars'
  brokers: StackNode[]
  nodes: StackNode[]
  kafkaHeap: string
  cassandraHeap: string
  durable: boolean
  jvm: string[]
  /** Every variable with its value, and those of them that were asked for: the rest are defaults. */
  values: Record<string, string>
  asked: string[]
}

type Values = Record<string, string>
type Rule = { fallback: (known: Values) => string; valid: (value: string) => boolean; rule: string }

const oneOf = (...allowed: string[]): Omit<Rule, 'fallback'> => ({
  valid: (value) => allowed.includes(value),
  rule: `one of ${allowed.join(', ')}`,
})
const port: Omit<Rule, 'fallback'> = {
  valid: (value) => /^\d+$/.test(value) && Number(value) >= 1024 && Number(value) <= 64_535,
  rule: 'a port from 1024 to 64535',
}
const heap: Omit<Rule, 'fallback'> = { valid: (value) => /^\d+[mg]$/i.test(value), rule: 'a size as 512m or 2g' }

// A default may follow from the settings above it.
const RULES: Record<string, Rule> = {
  STACK_NAME: {
    fallback: () => 'default',
    valid: (value) => /^[a-z0-9][a-z0-9-]{0,39}$/.test(value),
    rule: 'small letters, digits and dashes, at most 40',
  },
  STACK_NET: {
    fallback: () => '127.0.0',
    valid: (value) => /^127(\.\d{1,3}){2}$/.test(value),
    rule: 'the first three numbers of a loopback address, as 127.0.1',
  },
  STACK_PROXY_NET: {
    fallback: () => '',
    valid: (value) => value === '' || /^127(\.\d{1,3}){2}$/.test(value),
    rule: 'the first three numbers of a loopback address, as 127.0.2',
  },
  STACK_MODE: { fallback: () => 'auto', ...oneOf('auto', 'docker', 'jars') },
  STACK_BROKERS: { fallback: () => '1', ...oneOf('1', '3') },
  STACK_NODES: { fallback: () => '1', ...oneOf('1', '3') },
  STACK_DURABLE: { fallback: () => '1', ...oneOf('0', '1') },
  STACK_JVM: { fallback: () => '', valid: () => true, rule: 'flags' },
  KAFKA_PORT: { fallback: () => '9092', ...port },
  CQL_PORT: { fallback: () => '9042', ...port },
  STORAGE_PORT: { fallback: () => '7000', ...port },
  // JMX listens on 127.0.0.1 whatever the node's own address is, so stacks on other nets need other ports.
  JMX_PORT: { fallback: ({ STACK_NET }) => String(7199 + 10 * Number(STACK_NET?.split('.')[2])), ...port },
  KAFKA_HEAP: { fallback: ({ STACK_BROKERS }) => (STACK_BROKERS === '1' ? '512m' : '256m'), ...heap },
  CASSANDRA_HEAP: { fallback: ({ STACK_NODES }) => (STACK_NODES === '1' ? '1g' : '384m'), ...heap },
}

/** Reads the settings, naming every wrong one at once. `root` is the repository's folder. */
export function readSettings(env: Record<string, string | undefined>, root: string): Settings {
  const values: Values = {}
  const asked: string[] = []
  const wrong: string[] = []
  for (const [name, { fallback, valid, rule }] of Object.entries(RULES)) {
    const value = env[name] || fallback(values)
    if (env[name]) asked.push(name)
    if (!valid(value)) wrong.push(`${name}=${value} is not ${rule}`)
    values[name] = value
  }
  if (wrong.length > 0) throw new StackError(wrong.join('; '), 'Correct the variables, or unset them for the defaults.')

  const text = (name: string) => values[name] ?? ''
  const number = (name: string) => Number(text(name))
  const name = text('STACK_NAME')
  const net = text('STACK_NET')
  const dir = join(root, '.stack', name)

  const told = ({ index }: { index: number }, { host, port }: Address) => ({
    host: text('STACK_PROXY_NET') ? `${text('STACK_PROXY_NET')}.${index}` : host,
    port,
  })
  const node = (service: Service, index: number): Omit<StackNode, 'client' | 'told' | 'ports'> => ({
    name: `${service}.${index}`,
    service,
    index,
    host: `${net}.${index}`,
    dir: join(dir, `${service}.${index}`),
  })
  return {
    name,
    root,
    dir,
    net,
    mode: text('STACK_MODE') as Settings['mode'],
    brokers: count(number('STACK_BROKERS')).map((index) => {
      const base = node('kafka', index)
      const client = { host: base.host, port: number('KAFKA_PORT') }
      const controller = { host: base.host, port: number('KAFKA_PORT') + 1000 }
      // Behind a proxy brokers speak to each other at a port of their own, past it.
      const peers = { host: base.host, port: number('KAFKA_PORT') + 2000 }
      const bound = [client, controller, ...(text('STACK_PROXY_NET') ? [peers] : [])]
      const ports = bound.map((address) => ({ setting: 'KAFKA_PORT', address }))
      return { ...base, client, told: told(base, client), ports }
    }),
    nodes: count(number('STACK_NODES')).map((index) => {
      const base = node('cassandra', index)
      const client = { host: base.host, port: number('CQL_PORT') }
      const ports = [
        { setting: 'CQL_PORT', address: client },
        { setting: 'STORAGE_PORT', address: { host: base.host, port: number('STORAGE_PORT') } },
        { setting: 'JMX_PORT', address: { host: '127.0.0.1', port: number('JMX_PORT') + index - 1 } },
      ]
      return { ...base, client, told: told(base, client), ports }
    }),
    kafkaHeap: text('KAFKA_HEAP'),
    cassandraHeap: text('CASSANDRA_HEAP'),
    durable: text('STACK_DURABLE') === '1',
    jvm: text('STACK_JVM').split(/\s+/).filter(Boolean),
    values,
    asked,
  }
}

export function everyNode(settings: Settings): StackNode[] {
  return [...settings.brokers, ...settings.nodes]
}

/** What a process needs to know to talk to this stack, in the names Tidemark itself reads. */
export function addresses(settings: Settings): Record<string, string> {
  const list = (nodes: StackNode[]) => nodes.map(({ told }) => `${told.host}:${told.port}`).join(',')
  return {
    KAFKA_BROKERS: list(settings.brokers),
    CASSANDRA_CONTACT_POINTS: list(settings.nodes),
    CASSANDRA_LOCAL_DATACENTER: 'dc1',
  }
}

function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1)
}
