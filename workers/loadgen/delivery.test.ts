import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryLog } from '../../shared/engine/memory/log.ts'
import { type CloudEvent, carts, decoder, inventory } from '../../shared/events/index.ts'
import { gatewayDelivery, kafkaDelivery, type Persist } from './delivery.ts'
import { type ShopEvent, shop } from './shop.ts'

const once: Persist = (work) => work()

function happenings(count: number): readonly ShopEvent[] {
  const open = shop({ seed: 11 })
  return Array.from({ length: count }, (_, index) => open.next(new Date(index)))
}

/** The ids of each entity's events in their order. */
function byEntity(events: readonly { readonly subject: string; readonly id: string }[]): Record<string, string[]> {
  const entities: Record<string, string[]> = {}
  for (const { subject, id } of events) entities[subject] = [...(entities[subject] ?? []), id]
  return entities
}

const pieces = (events: readonly ShopEvent[]) =>
  Array.from({ length: 10 }, (_, piece) => events.slice(piece * 100, piece * 100 + 100))

describe('straight into Kafka', () => {
  test('every entity keeps its order, in one partition, in both modes', async () => {
    const kafka = memoryLog()
    for (const { name, partitions } of [carts, inventory]) kafka.createTopic(name, partitions)
    const events = happenings(1_000)
    const deliver = kafkaDelivery(kafka.publisher, 'mixed', once)
    for (const piece of pieces(events)) await deliver(piece)

    const read: { subject: string; id: string }[] = []
    const modes = new Set<boolean>()
    for (const topic of [carts, inventory]) {
      const decode = decoder(topic, () => true)
      for (const [partition, { start, end }] of await kafka.log.bounds(topic.name))
        for await (const records of kafka.log.read({ topic: topic.name, partition }, start, end))
          for (const record of records) {
            modes.add(record.headers.ce_id !== undefined)
            const event = decode(record, partition)
            if (event) read.push(event)
          }
    }
    expect(byEntity(read)).toEqual(byEntity(events.map(({ event }) => event)))
    expect(modes.size).toBe(2)
  })

  test('a failure of one topic does not send the other again', async () => {
    const asked: string[] = []
    const publish = async (topic: string) => {
      asked.push(topic)
      if (topic === 'inventory' && asked.length === 2) throw new Error('away')
      return []
    }
    const twice: Persist = (work) => work().catch(work)
    await kafkaDelivery({ publish }, 'structured', twice)(happenings(200))
    expect(asked).toEqual(['carts', 'inventory', 'inventory'])
  })
})

describe('through the gateway', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  /** A gateway whose answers take turns of different length, and which is away at first when asked `awayEvery` times. */
  function gateway(awayEvery = Number.POSITIVE_INFINITY) {
    const taken = new Map<string, CloudEvent>()
    let asked = 0
    vi.stubGlobal('fetch', async (_: URL, { body }: { body: string }) => {
      const number = ++asked
      for (let turn = 0; turn < (number * 7) % 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (number % awayEvery === 0) return new Response('later', { status: 503 })
      const events: CloudEvent[] = JSON.parse(body)
      for (const event of events) taken.set(event.id, event)
      return new Response('{}', { status: 202 })
    })
    return taken
  }

  test('every entity keeps its order over requests that overlap, also when some are repeated', async () => {
    const taken = gateway(3)
    const events = happenings(1_000)
    const stubborn: Persist = (work) => work().catch(() => stubborn(work))
    const deliver = gatewayDelivery('http://gateway', stubborn)
    for (const piece of pieces(events)) await deliver(piece)
    expect(byEntity([...taken.values()])).toEqual(byEntity(events.map(({ event }) => event)))
  })

  test('what it refuses is an error with its answer', async () => {
    vi.stubGlobal('fetch', async () => new Response('subject is missing', { status: 400 }))
    const sent = gatewayDelivery('http://gateway', once)(happenings(3))
    await expect(sent).rejects.toMatchObject({
      code: 'EVENTS_REFUSED',
      message: expect.stringContaining('subject is missing'),
    })
  })

  test('its absence is a failure that passes', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('fetch failed')
    })
    await expect(gatewayDelivery('http://gateway', once)(happenings(3))).rejects.toMatchObject({ kind: 'transient' })
  })
})
