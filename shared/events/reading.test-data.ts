import { expect } from 'vitest'
import { decoder } from './decode.ts'
import type { OutgoingRecord } from './encode.ts'
import type { LogRecord } from './event.ts'
import { defineTopic, type Topic } from './topic.ts'

export const anything = {
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
} as const
export const open = defineTopic({ name: 'open', partitions: 1, events: { Said: anything } })
export const all: (type: string) => boolean = () => true
export const read = (topic: Topic, record: Partial<LogRecord>, wanted = all) =>
  decoder(topic, wanted)({ offset: 7, timestamp: 1_000, key: Buffer.from('k'), value: null, headers: {}, ...record }, 3)
export const asKept = ({ key, value, headers }: OutgoingRecord): Partial<LogRecord> => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
})
export const json = (value: unknown) => Buffer.from(JSON.stringify(value))
export const said = { specversion: '1.0', id: '1', source: 's', type: 'Said' } as const
export const code = (expected: string) => expect.objectContaining({ code: expected, kind: 'poison' })
