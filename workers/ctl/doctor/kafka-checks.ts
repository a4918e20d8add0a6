import type { Topic } from '../../../shared/events/topic.ts'
import type { ClusterDescription } from '../../../shared/kafka/cluster.ts'
import type { GroupDescription, TopicDescription } from '../../../shared/kafka/index.ts'
import { counted, duration } from '../terminal.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

export function clusterFindings({
  brokers,
  release,
  supported,
  minInsyncReplicas,
}: ClusterDescription): readonly Finding[] {
  const about = `${counted(brokers, 'broker')}, release ${release}`
  if (!supported) return [fail('kafka', about, 'Tidemark needs Kafka 2.3 or newer.')]
  const alone = brokers === 1 ? ': a single copy of the log, good for development only' : ''
  const minimum = minInsyncReplicas === undefined ? '' : `, min.insync.replicas ${minInsyncReplicas} by default`
  return [ok('kafka', `${about}${minimum}${alone}`)]
}

/** A topic as it is, against its declaration and against what a log of events needs. */
export function topicFindings(
  topic: Pick<Topic, 'name' | 'partitions'>,
  found: TopicDescription | undefined,
  brokers: number,
): readonly Finding[] {
  const subject = `topic ${topic.name}`
  if (!found) return [fail(subject, 'does not exist', 'Run `tidemark init`.')]
  const { partitions, replication, retentionMs, retentionBytes, compacted, config } = found
  const findings: Finding[] = []
  if (partitions !== topic.partitions) {
    findings.push(
      fail(
        subject,
        `has ${counted(partitions, 'partition')}, but ${topic.partitions} are declared`,
        `Declare ${partitions}: adding partitions would move keys, and their rows would get two writers.`,
      ),
    )
  }
  if (replication < Math.min(3, brokers)) {
    findings.push(
      warn(
        subject,
        `has ${counted(replication, 'replica')} on ${counted(brokers, 'broker')}`,
        'Events are the truth: keep 3 replicas (kafka-reassign-partitions).',
      ),
    )
  }
  const minimum = Number(config['min.insync.replicas'] ?? 1)
  if (minimum > replication)
    findings.push(
      fail(
        subject,
        `min.insync.replicas is ${minimum}, but there are ${replication} replicas: nothing can be published`,
        `Set min.insync.replicas to ${Math.max(1, replication - 1)}.`,
      ),
    )
  else if (replication > 1 && minimum === replication)
    findings.push(
      warn(
        subject,
        `min.insync.replicas is ${minimum} of ${replication}: one broker away and nothing can be published`,
        `Set min.insync.replicas to ${replication - 1}.`,
      ),
    )
  else if (replication > 2 && minimum < 2)
    findings.push(
      warn(
        subject,
        'min.insync.replicas is 1: an event may be acknowledged with a single copy',
        'Set min.insync.replicas to 2.',
      ),
    )
  if (compacted)
    findings.push(
      warn(
        subject,
        'is compacted: Kafka removes all but the last event of each key',
        'Set cleanup.policy to delete: a view is made from all events.',
      ),
    )
  if (!compacted && retentionMs >= 0)
    findings.push(
      warn(
        subject,
        `keeps events for ${duration(retentionMs / 1000)} only`,
        'Set retention.ms to -1: a rebuild needs every event, and `tidemark verify` can prove only what is left.',
      ),
    )
  if (!compacted && retentionBytes >= 0)
    findings.push(
      warn(
        subject,
        `keeps ${retentionBytes} bytes a partition only`,
        'Set retention.bytes to -1: a rebuild needs every event.',
      ),
    )
  return findings.length > 0
    ? findings
    : [ok(subject, `${counted(partitions, 'partition')}, ${counted(replication, 'replica')}, keeps every event`)]
}

/** Who is in a consumer group: only Tidemark's workers may be, and no more than have something to do. */
export function groupFindings(
  group: string,
  { state, members }: GroupDescription,
  partitions: number,
): readonly Finding[] {
  const subject = `group ${group}`
  const strangers = members.filter(({ clientId }) => !clientId.startsWith('tidemark'))
  if (strangers.length > 0) {
    const who = strangers.map(({ clientId, host }) => `${clientId} at ${host}`).join(', ')
    return [
      fail(
        subject,
        `has members that are not Tidemark's: ${who}`,
        'Give that consumer a group of its own: it takes partitions away, and commits what is not in the view.',
      ),
    ]
  }
  if (members.length > partitions)
    return [
      warn(
        subject,
        `has ${members.length} members for ${counted(partitions, 'partition')}`,
        `Only ${partitions} can work: scale down, or give the next version's topic more partitions.`,
      ),
    ]
  return [
    ok(subject, members.length === 0 ? 'no members' : `${counted(members.length, 'member')}, ${state.toLowerCase()}`),
  ]
}
