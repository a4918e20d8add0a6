import { randomBytes } from 'node:crypto'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { KafkaAdmin, KafkaLog, KafkaPublisher } from './index.ts'
import { testSettings } from './testing.ts'

const settings = testSettings()
const admin = new KafkaAdmin(settings)
const log = new KafkaLog(settings)
const publisher = new KafkaPublisher(settings)
afterAll(() => Promise.all([admin.close(), log.close(), publisher.close()]))

const here = () => true
const absent = () => false
/** What is there in this installation; the last two come with packages that are installed where they are wanted. */
const codecs: readonly (readonly [string, () => Promise<boolean>])[] = [
  ['gzip', async () => true],
  ['zstd', async () => true],
  ['snappy', () => import('snappy').then(here, absent)],
  ['lz4', () => import('lz4-napi').then(here, absent)],
]

test.each(codecs)('records that the broker compressed with %s are read, or refused by name', async (codec, present) => {
  const topic = `codec_${crypto.randomUUID().slice(0, 13)}`
  await admin.createTopics([{ name: topic, partitions: 1, config: { 'compression.type': codec } }])
  onTestFinished(() => admin.deleteTopics([topic]))
  // Some of it can't be compressed, and together it is more than one block of any codec (snappy's has 32 KiB, lz4's 64).
  const values = Array.from({ length: 60 }, (_, index) =>
    index % 3 === 0 ? randomBytes(6_000).toString('base64') : `${index}`.repeat(3_000),
  )
  await publisher.publish(
    topic,
    values.map((value, index) => ({ key: `k${index}`, value, headers: {} })),
  )
  const read = async () => {
    const found: string[] = []
    for await (const records of log.read({ topic, partition: 0 }, 0, values.length))
      found.push(...records.map(({ value }) => String(value)))
    return found
  }
  if (await present()) expect(await read()).toEqual(values)
  else await expect(read()).rejects.toMatchObject({ code: 'CODEC_MISSING', message: expect.stringContaining(codec) })
})
