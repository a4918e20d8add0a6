import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { introduced, introduction } from './introduction.ts'

const sources = fc.array(fc.record({ topic: fc.string(), partition: fc.nat() }))

test('a member is understood as it introduced itself', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string()),
      fc.option(fc.string(), { nil: undefined }),
      fc.nat(),
      sources,
      (topics, view, generation, owned) => {
        const bytes = introduction(topics, { view, generation, sources: owned })
        expect(introduced('m', bytes)).toEqual({ id: 'm', topics, view, generation, owned })
      },
    ),
  )
})

test('bytes of another program say nothing, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(introduced('m', Buffer.from(bytes))).toMatchObject({ id: 'm', view: undefined, owned: [] })
    }),
  )
})

test.each(['', '5', 'null', '{}', '{"owned":5}', '{"owned":[5]}'])('nor does what they added: %s', (text) => {
  const bytes = kafkajs.AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: ['t'],
    userData: Buffer.from(text),
  })
  expect(introduced('m', bytes)).toEqual({ id: 'm', topics: ['t'], view: undefined, generation: -1, owned: [] })
})
