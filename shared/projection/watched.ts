import type { Schema } from '../events/schema.ts'
import type { Topic } from '../events/topic.ts'
import { copy, difference } from './likeness.ts'
import type { Projection } from './projection.ts'
import type { Witness } from './purity.ts'

/**
 * The same projection under watch: each function of its author is called twice with copies of what it gets, must leave
 * them as they are, answer the same both times, and do nothing else. What is wrong throws HANDLER_IMPURE.
 */
export function watched(projection: Projection, witness: Witness): Projection {
  const of = ` of projection ${projection.name}`
  const { key, initial, merge, on, topics } = projection
  return {
    ...projection,
    key: pure(`key${of}`, key, ['event'], witness),
    initial: pure(`initial${of}`, initial, ['key'], witness),
    merge: merge && pure(`merge${of}`, merge, ['first row', 'second row'], witness),
    on: mapped(on, (handler, type) => pure(`on.${type}${of}`, handler, ['row', 'event'], witness)),
    topics: topics.map((topic) => watchedTopic(topic, witness)),
  }
}

function watchedTopic(topic: Topic, witness: Witness): Topic {
  const of = ` of topic ${topic.name}`
  const { decode, upcast, events } = topic
  return {
    ...topic,
    events: mapped(events, (schema, type) => watchedSchema(`the schema of ${type}${of}`, schema, witness)),
    ...(upcast && {
      upcast: mapped(upcast, (upcaster, type) => pure(`upcast.${type}${of}`, upcaster, ['event'], witness)),
    }),
    ...(decode && { decode: pure(`decode${of}`, decode, ['record'], witness) }),
  }
}

function watchedSchema(who: string, schema: Schema, witness: Witness): Schema {
  const standard = schema['~standard']
  const validate = pure(who, (data: unknown) => standard.validate(data), ['data'], witness)
  return { '~standard': { version: standard.version, vendor: standard.vendor, validate } }
}

function mapped<T>(functions: Readonly<Record<string, T>>, change: (one: T, name: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(functions).map(([name, one]) => [name, change(one, name)]))
}

function pure<Args extends unknown[], Result>(
  who: string,
  author: (...args: Args) => Result,
  names: readonly string[],
  witness: Witness,
): (...args: Args) => Result {
  function ask(args: Args): Result {
    const given = copy(args)
    const answer = witness.during(who, () => author(...given))
    if (answer instanceof Promise) answer.catch(() => {}) // Refused soon, and nobody will be there to hear of its failure.
    for (const [index, name] of names.entries()) {
      const changed = difference(args[index], given[index])
      if (changed !== undefined)
        witness.accuse(who, `changed its ${name}${changed.startsWith('.') ? '' : ': '}${changed}`)
    }
    return answer
  }

  return (...args) => {
    const answer = ask(args)
    const first = copy(answer)
    const other = difference(first, ask(args))
    if (other !== undefined)
      witness.accuse(
        who,
        `gave two answers to one question: ${other.replace(/^\./, '')}. It keeps something outside its row`,
      )
    return answer
  }
}
