import { defineTopic, type Event } from '../events/index.ts'
import { defineProjection, type Projection, table, z } from './index.ts'
import { event, specify } from './spec.ts'

export const notes = defineTopic({
  name: 'notes',
  partitions: 8,
  events: { Said: z.object({ words: z.array(z.string()).default([]) }), Shouted: z.object({}) },
})
export const view = table('note', {
  columns: {
    id: 'text',
    n: 'int',
    words: 'list<text>',
    seen: 'set<text>',
    tags: 'map<text,int>',
    at: 'timestamp',
    raw: 'blob',
    memo: 'text?',
  },
  partitionKey: ['id'],
})
export interface Note {
  id: string
  n: number
  words: string[]
  seen: Set<string>
  tags: Map<string, number>
  at: Date
  raw: Uint8Array
  memo?: string | null
}
export const started = {
  n: 0,
  words: [],
  seen: new Set<string>(),
  tags: new Map<string, number>(),
  at: new Date(0),
  raw: new Uint8Array(2),
}
export const counted = (note: Note) => ({ ...note, n: note.n + 1 })

export const base = {
  name: 'note',
  version: 1,
  topic: notes,
  view,
  key: ({ subject }: Event) => ({ id: subject }),
  initial: ({ id }: { id: string }) => ({ ...started, id }),
  on: { Said: counted },
}
/** The projection with one of its functions done badly, as JavaScript lets people write it. */
export const noting = (changes: object = {}): Projection<typeof view> =>
  defineProjection({ ...base, ...changes } as never)
export const says = (handler: (note: Note, event: Event<'Said', { words: string[] }>) => unknown) =>
  noting({ on: { Said: handler } })
export const said = (id = 'a', words = ['hello']) => event(notes, 'Said', id, { words })
export const failure = (projection: ReturnType<typeof noting>, ...events: ReturnType<typeof said>[]) => {
  try {
    specify(projection)
      .when(...events)
      .rows()
  } catch (error) {
    return error
  }
  return undefined
}
