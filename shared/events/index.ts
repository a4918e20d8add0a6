export { type CartEvent, type CartItem, carts } from './carts.ts'
export { type Decoder, decoder } from './decode.ts'
export { type CloudEvent, encodeBinary, encodeStructured, type OutgoingRecord } from './encode.ts'
export type { Event, LogRecord, RecordHeaders } from './event.ts'
export { type InventoryEvent, inventory } from './inventory.ts'
export { type Position, parsePosition, parseSource, positionText, type Source, sourceText } from './position.ts'
export type { Input, Output, Schema } from './schema.ts'
export {
  type Decoded,
  defineTopic,
  type EventOf,
  type OldEvent,
  type Schemas,
  type Topic,
  topicFaults,
  type Upcaster,
} from './topic.ts'
