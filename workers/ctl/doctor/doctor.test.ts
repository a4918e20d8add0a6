import { expect, test } from 'vitest'
import * as cassandra from '../../../shared/cassandra/index.ts'
import { readConfig } from '../../../shared/config.ts'
import { TidemarkError } from '../../../shared/errors.ts'
import type { TopicDescription } from '../../../shared/kafka/index.ts'
import { stock } from '../../projections/stock.ts'
import { nodeFindings, replicationFindings } from './cassandra-checks.ts'
import { type DoctorTools, examine } from './doctor.ts'
import type { Finding } from './finding.ts'
import { groupFindings, topicFindings } from './kafka-checks.ts'
import { memberFindings, servedFindings, versionFindings } from './version-checks.ts'

const levels = (findings: readonly Finding[]) => findings.map(({ level, message }) => `${level} ${message}`)
const good: TopicDescription = {
  name: 'carts',
  partitions: 12,
  replication: 3,
  retentionMs: -1,
  retentionBytes: -1,
  compacted: false,
  config: { 'min.insync.replicas': '2' },
}
const topic = (change: Partial<TopicDescription>, brokers = 3) =>
  levels(topicFindings({ name: 'carts', partitions: 12 }, { ...good, ...change }, brokers))

test('a topic that keeps every event in three copies is fine', () => {
  expect(topic({})).toEqual(['ok 12 partitions, 3 replicas, keeps every event'])
})

test('what endangers the log is found, each with its remedy', () => {
  expect(levels(topicFindings({ name: 'carts', partitions: 12 }, undefined, 3))).toEqual(['fail does not exist'])
  expect(topic({ partitions: 6 })[0]).toMatch(/^fail has 6 partitions, but 12 are declared/)
  expect(topic({ replication: 1, config: {} })[0]).toMatch(/^warn has 1 replica on 3 brokers/)
  expect(topic({ replication: 1, config: {} }, 1)).toEqual(['ok 12 partitions, 1 replica, keeps every event'])
  expect(topic({ config: { 'min.insync.replicas': '3' } })[0]).toMatch(/^warn min.insync.replicas is 3 of 3/)
  expect(topic({ config: { 'min.insync.replicas': '4' } })[0]).toMatch(/^fail/)
  expect(topic({ config: {} })[0]).toMatch(/^warn min.insync.replicas is 1/)
  expect(topic({ retentionMs: 604_800_000 })[0]).toBe('warn keeps events for 7 d 0 h only')
  expect(topic({ compacted: true })[0]).toMatch(/^warn is compacted/)
})

test('a stranger in the group, and members that have nothing to do, are found', () => {
  const member = (clientId: string) => ({ id: clientId, clientId, host: '/10.0.0.1', view: undefined })
  expect(
    groupFindings('g', { state: 'Stable', members: [member('tidemark-projector'), member('report-job')] }, 12)[0]
      ?.level,
  ).toBe('fail')
  expect(
    groupFindings('g', { state: 'Stable', members: [member('tidemark-projector'), member('tidemark-projector')] }, 1)[0]
      ?.level,
  ).toBe('warn')
  expect(groupFindings('g', { state: 'Empty', members: [] }, 12)[0]?.level).toBe('ok')
})

test('replication must reach a quorum and should survive a node', () => {
  const nodes = (count: number) => Array.from({ length: count }, () => ({ dataCenter: 'dc1', release: '5.0.9' }))
  const level = (count: number, replicas: Record<string, number>, strategy = 'NetworkTopologyStrategy') =>
    replicationFindings('tidemark', 'dc1', nodes(count), { strategy, replicas })[0]?.level
  expect(level(3, { dc1: 3 })).toBe('ok')
  expect(level(1, { dc1: 1 })).toBe('ok')
  expect(level(3, { dc1: 1 })).toBe('warn')
  expect(level(1, { dc1: 3 })).toBe('fail')
  expect(level(3, { dc2: 3 })).toBe('fail')
  expect(level(3, { replication_factor: 3 }, 'SimpleStrategy')).toBe('ok')
  expect(replicationFindings('tidemark', 'dc1', nodes(1), undefined)[0]?.level).toBe('fail')
  expect(nodeFindings([{ dataCenter: 'dc1', release: '3.11.19' }])[0]?.level).toBe('fail')
  expect(nodeFindings([...nodes(1), { dataCenter: 'dc1', release: '4.1.3' }])[0]?.level).toBe('warn')
})

test('workers that write elsewhere, or are missed, are found; one that does not say is believed', () => {
  const told = (needed: boolean, ...views: (string | undefined)[]) =>
    memberFindings(
      'stock.v1',
      views.map((view) => ({ view })),
      'here',
      needed,
    ).map(({ message }) => message)
  expect(told(false)).toEqual([])
  expect(told(true, 'here', undefined)).toEqual([])
  expect(told(false, 'here', 'there')).toEqual([expect.stringContaining('1 member of another keyspace or table')])
  expect(told(true)).toEqual(['are to run, and there are none'])
  expect(told(true, 'there')).toHaveLength(2)
  const unbegun = (needed: boolean) =>
    versionFindings(stock, undefined, { partitions: new Map(), members: new Map() }, needed)[0]?.level
  expect([unbegun(false), unbegun(true)]).toEqual(['ok', 'fail'])
})

test('readers of a version that is not loaded would be answered with 503', () => {
  const served = { projection: 'stock', version: 2, previous: 1, undone: null, turn: 1 }
  expect(servedFindings('stock', [{ version: 1 }], served)[0]).toMatchObject({
    level: 'warn',
    remedy: expect.stringContaining('version 2'),
  })
  expect(servedFindings('stock', [{ version: 1 }, { version: 2 }], served)).toEqual([])
  expect(servedFindings('stock', [{ version: 1 }], undefined)).toEqual([])
})

test('a failure does not hide what comes after it', async () => {
  const unavailable = (code: 'KAFKA_UNAVAILABLE' | 'CASSANDRA_UNAVAILABLE') => () =>
    Promise.reject(new TidemarkError(code, 'nobody is there'))
  const tools: DoctorTools = {
    schema: cassandra,
    readConfig: () => readConfig({}),
    loadProjections: () => Promise.reject(new TidemarkError('PROJECTION_FILE_FAILED', 'a.ts is broken')),
    describeCluster: unavailable('KAFKA_UNAVAILABLE'),
    admin: () => {
      throw new Error('not reached')
    },
    connect: unavailable('CASSANDRA_UNAVAILABLE'),
    sleep: async () => undefined,
  }
  const findings: Finding[] = []
  for await (const finding of examine(tools)) findings.push(finding)
  expect(findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual([
    'ok settings',
    'fail projections',
    'fail kafka',
    'fail cassandra',
  ])
  expect(findings.filter(({ level, remedy }) => level !== 'ok' && !remedy)).toEqual([])
})
