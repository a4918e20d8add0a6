import { describe, expect, test } from 'vitest'
import { memoryLog } from '../../shared/engine/memory/log.ts'
import { carts, inventory } from '../../shared/events/index.ts'
import { publish } from './publish.ts'
import type { BadLine, Mode } from './publish-check.ts'
import { LONGEST_LINE } from './publish-check.ts'
import { lines } from './publish-lines.ts'
import { runPublish } from './publish-run.ts'

const price = (productId: string, unitPriceCents: unknown = 100, more: object = {}) =>
  JSON.stringify({
    specversion: '1.0',
    id: `${productId}-${unitPriceCents}`,
    source: '/test',
    type: 'PriceChanged',
    subject: productId,
    data: { productId, unitPriceCents },
    ...more,
  })

async function* stream(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function feed(text: string, options: { topic?: string; mode?: Mode; strict?: boolean } = {}) {
  const kafka = memoryLog()
  for (const { name, partitions } of [carts, inventory, { name: 'strange', partitions: 1 }])
    kafka.createTopic(name, partitions)
  const bad: BadLine[] = []
  const { mode = 'structured', strict = false, topic } = options
  const refuse = (line: BadLine) => bad.push(line)
  const pieces = lines(stream(text), LONGEST_LINE)
  const summary = await publish(pieces, [carts, inventory], kafka.publisher, { topic, mode, strict, refuse })
  const values = async (name: string) => {
    const found: { key: string; value: string; headers: Record<string, string> }[] = []
    for (const [partition, { start, end }] of await kafka.log.bounds(name))
      for await (const records of kafka.log.read({ topic: name, partition }, start, end))
        for (const { key, value, headers } of records)
          found.push({
            key: String(key),
            value: String(value),
            headers: Object.fromEntries(Object.entries(headers).map(([header, text]) => [header, String(text)])),
          })
    return found
  }
  return { summary, bad, values }
}

describe('publish', () => {
  test('good lines are published in order, bad ones reported with their line and reason', async () => {
    const text = [
      price('a', 1),
      '{ "half',
      '',
      price('a', 'cheap'),
      price('a', 2),
      price('a', 3, { type: 'PriceChange' }),
      price('a', 4, { subject: undefined }),
      price('a', 5, { time: 'yesterday' }),
      '[1]',
      price('a', 6),
    ].join('\n')
    const { summary, bad, values } = await feed(text)
    expect(bad.map(({ line, code }) => [line, code])).toEqual([
      [2, 'EVENT_NOT_JSON'],
      [4, 'EVENT_SCHEMA_VIOLATION'],
      [6, 'EVENT_TYPE_UNKNOWN'],
      [7, 'EVENT_NOT_CLOUDEVENT'],
      [8, 'EVENT_NOT_CLOUDEVENT'],
      [9, 'EVENT_NOT_CLOUDEVENT'],
    ])
    expect(bad[2]?.reason).toContain('did you mean PriceChanged?')
    expect(bad[3]?.reason).toContain('subject')
    expect(summary).toMatchObject({ published: 3, refused: 6 })
    expect([...summary.ranges.values()]).toEqual([{ first: 0, last: 2, count: 3 }])
    expect((await values('inventory')).map(({ value }) => JSON.parse(value).data.unitPriceCents)).toEqual([1, 2, 6])
  })

  test('strict stops at the first bad line and publishes what is before it', async () => {
    const { summary, bad } = await feed([price('a', 1), 'x', price('a', 2), 'y'].join('\n'), { strict: true })
    expect(summary).toMatchObject({ published: 1, refused: 1 })
    expect(bad).toHaveLength(1)
  })

  test('a named topic takes every CloudEvent with a subject', async () => {
    const text = [price('a', 'cheap', { type: 'Whatever' }), price('b', 1, { subject: '' })].join('\n')
    const { summary, bad, values } = await feed(text, { topic: 'strange' })
    expect(summary).toMatchObject({ published: 1, refused: 1 })
    expect(bad).toMatchObject([{ line: 2, code: 'EVENT_NOT_CLOUDEVENT' }])
    expect(await values('strange')).toMatchObject([{ key: 'a' }])
  })

  test('structured, the record is the line as it was written', async () => {
    const line = price('a', 1, { reading: 1 }).replace('"reading":1', '"reading": 12345678901234567890')
    expect((await (await feed(`${line}\r\n`)).values('inventory'))[0]?.value).toBe(line)
  })

  test('binary, the attributes are headers and the data is the value', async () => {
    const [record] = await (await feed(price('a', 1), { mode: 'binary' })).values('inventory')
    expect(record).toMatchObject({ key: 'a', headers: { ce_type: 'PriceChanged', ce_subject: 'a' } })
    expect(JSON.parse(record?.value ?? '')).toEqual({ productId: 'a', unitPriceCents: 1 })
  })

  test('a line longer than Kafka takes is refused by itself', async () => {
    const { summary, bad } = await feed([price('a', 1, { note: 'x'.repeat(2_000_000) }), price('a', 2)].join('\n'))
    expect(bad).toMatchObject([{ line: 1, code: 'EVENT_TOO_LARGE' }])
    expect(summary.published).toBe(1)
  })

  test('a failing broker ends it with the lines whose fate is unknown', async () => {
    let calls = 0
    const publisher = {
      publish: async (topic: string, records: readonly object[]) => {
        if (++calls === 2) throw new Error('gone')
        return records.map((_, offset) => ({ topic, partition: 0, offset }))
      },
    }
    const pieces = lines(stream(`${price('a', 1)}\n`, `${price('a', 2)}\n${price('a', 3)}`), LONGEST_LINE)
    const run = publish(pieces, [inventory], publisher, { mode: 'structured', strict: false, refuse: () => {} })
    await expect(run).rejects.toThrow('lines 2 to 2')
  })

  test('the command prints positions and gives its exit code', async () => {
    const kafka = memoryLog()
    kafka.createTopic('inventory', 1)
    let [stdout, stderr] = ['', '']
    const terminal = {
      stdin: stream(`${price('a')}\n${price('b')}\nnonsense\n`),
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
    }
    expect(await runPublish({}, [inventory], kafka.publisher, terminal)).toBe(1)
    expect(stdout).toBe('inventory/0  0..1  (2)\npublished 2, refused 1\n')
    expect(stderr).toMatch(/^line 3: EVENT_NOT_JSON: /)
    const missing = runPublish({ file: '/no/such/file' }, [inventory], kafka.publisher, terminal)
    await expect(missing).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('lines', () => {
  const all = async (limit: number, ...chunks: (string | Buffer)[]) => {
    const found: string[][] = []
    for await (const piece of lines(stream(...chunks), limit)) found.push(piece.map(String))
    return found
  }

  test('are given as they come, joined over chunks, without carriage returns and byte order mark', async () => {
    expect(await all(100, '\ufeffa\r\nb', 'c\n\nd\n', 'e')).toEqual([['a'], ['bc', '', 'd'], ['e']])
  })

  test('are cut one byte above the limit', async () => {
    expect(await all(3, 'abcdef', 'ghi\nabc\n', 'xyz1')).toEqual([['abcd', 'abc'], ['xyz1']])
  })
})
