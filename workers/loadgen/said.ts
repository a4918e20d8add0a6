import type { carts, Input, inventory, Schema } from '../../shared/events/index.ts'

type Facts<Topic extends string, Schemas extends Readonly<Record<string, Schema>>> = {
  [Type in keyof Schemas & string]: {
    readonly topic: Topic
    readonly type: Type
    /** The entity it is about. */
    readonly subject: string
    readonly data: Input<Schemas[Type]>
  }
}[keyof Schemas & string]

/** Something that happened in the shop, before it has an id and a time. */
export type Said = Facts<'carts', (typeof carts)['events']> | Facts<'inventory', (typeof inventory)['events']>
