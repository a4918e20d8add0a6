import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readRecord, recordedSettings, refuseChange, refuseOtherShape, settingsOf, writeRecord } from './record.ts'
import { readSettings } from './settings.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-record-'))
  const settings = readSettings({ STACK_NET: '127.0.9', STACK_NODES: '3', STACK_JVM: '-XX:+UseParallelGC' }, root)
  writeRecord(settings, { mode: 'jars', values: settings.values })
})
afterEach(() => rmSync(root, { recursive: true }))

test('a stack is known by its name alone once it was started', () => {
  expect(recordedSettings({}, root).nodes.map(({ host }) => host)).toEqual(['127.0.9.1', '127.0.9.2', '127.0.9.3'])
  expect(recordedSettings({ STACK_NET: '127.0.1' }, root).net).toBe('127.0.9')
})

test('starting it again keeps where it lies and how large it is, and nothing else', () => {
  const again = settingsOf({ CASSANDRA_HEAP: '2g' }, root)
  expect(again.values).toMatchObject({ STACK_NET: '127.0.9', STACK_NODES: '3', STACK_JVM: '', CASSANDRA_HEAP: '2g' })
})

test('a running stack is refused to those who ask for another one, not to those who ask for nothing', () => {
  const record = readRecord(join(root, '.stack', 'default'))
  if (!record) throw new Error('no record')
  expect(() => refuseChange(record, settingsOf({}, root))).not.toThrow()
  expect(() => refuseChange(record, settingsOf({ STACK_NODES: '3' }, root))).not.toThrow()
  expect(() => refuseChange(record, settingsOf({ KAFKA_PORT: '9192' }, root))).toThrow('another KAFKA_PORT')
})

test('data is refused to a stack of another shape, and may move to other ports', () => {
  const record = readRecord(join(root, '.stack', 'default'))
  if (!record) throw new Error('no record')
  expect(() => refuseOtherShape(record, settingsOf({ STACK_NODES: '1' }, root))).toThrow('another STACK_NODES')
  expect(() => refuseOtherShape(record, settingsOf({ KAFKA_PORT: '9192' }, root))).not.toThrow()
})
