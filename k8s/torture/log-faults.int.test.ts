import { expect, test } from 'vitest'
import { readConfig } from '../../shared/config.ts'
import { logScenarios, playLog } from './log-faults.ts'
import { Random } from './random.ts'

const { KAFKA_BROKERS = '', CASSANDRA_CONTACT_POINTS = '', CASSANDRA_LOCAL_DATACENTER = 'dc1' } = process.env
const servers = {
  env: { KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS, CASSANDRA_LOCAL_DATACENTER },
  cassandra: readConfig().cassandra.contactPoints,
}

test.each([
  'log: retention beyond the committed offset, worker away',
  'log: topic re-created and longer than before, worker stopped',
  'log: topic re-created and longer than before while the worker sleeps',
  'log: partitions added, worker stopped',
  'tables: dead letters can not be recorded',
  'tables: a column dropped and added again, worker stopped',
])(
  '%s',
  async (wanted) => {
    const scenario = logScenarios.find(({ name }) => name === wanted)
    const name = crypto.randomUUID().slice(0, 8)
    expect(scenario && (await playLog(scenario, name, servers, new Random(1)))).toEqual([])
  },
  120_000,
)
