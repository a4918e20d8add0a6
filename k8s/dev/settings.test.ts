import { describe, expect, test } from 'vitest'
import { addresses, everyNode, readSettings } from './settings.ts'

const root = '/repository'

describe('the settings of a stack', () => {
  test('with nothing set, name the addresses Tidemark uses with nothing set', () => {
    expect(addresses(readSettings({}, root))).toEqual({
      KAFKA_BROKERS: '127.0.0.1:9092',
      CASSANDRA_CONTACT_POINTS: '127.0.0.1:9042',
      CASSANDRA_LOCAL_DATACENTER: 'dc1',
    })
  })

  test('give three servers of each an address of their own', () => {
    const settings = readSettings({ STACK_NET: '127.0.7', STACK_BROKERS: '3', STACK_NODES: '3' }, root)
    expect(addresses(settings).KAFKA_BROKERS).toBe('127.0.7.1:9092,127.0.7.2:9092,127.0.7.3:9092')
    const bound = everyNode(settings).flatMap(({ ports }) =>
      ports.map(({ address }) => `${address.host}:${address.port}`),
    )
    expect(new Set(bound).size).toBe(bound.length)
  })

  test('of stacks on different nets share no port, JMX on 127.0.0.1 included', () => {
    const ports = ['127.0.0', '127.0.1'].map((STACK_NET) =>
      everyNode(readSettings({ STACK_NET, STACK_NODES: '3' }, root)).flatMap((node) =>
        node.ports.map(({ address }) => `${address.host}:${address.port}`),
      ),
    )
    expect(ports[0]?.filter((port) => ports[1]?.includes(port))).toEqual([])
  })

  test('that are wrong are all named at once, with value and rule', () => {
    const wrong = () =>
      readSettings({ STACK_NET: '10.0.0', STACK_NODES: '2', KAFKA_PORT: 'x', STACK_NAME: '../x' }, root)
    expect(wrong).toThrow(/STACK_NAME=\.\.\/x.*STACK_NET=10\.0\.0.*STACK_NODES=2 is not one of 1, 3.*KAFKA_PORT=x/)
  })

  test('that are empty count as unset', () => {
    expect(readSettings({ STACK_NAME: '', KAFKA_PORT: '' }, root).values).toEqual(readSettings({}, root).values)
  })
})
