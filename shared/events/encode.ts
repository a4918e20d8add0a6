/** A CloudEvent 1.0 as producers hand it over, before Kafka has given it a place. */
export interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  /** The entity; becomes the Kafka key. */
  readonly subject: string
  /** RFC 3339. */
  readonly time?: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly data?: unknown
  /** W3C trace context, carried along as a CloudEvents extension. */
  readonly traceparent?: string
  readonly [extension: string]: unknown
}

/** What is handed to Kafka. */
export interface OutgoingRecord {
  readonly key: string
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** One JSON document in the value, as the CloudEvents Kafka binding calls structured mode. */
export function encodeStructured(event: CloudEvent): OutgoingRecord {
  return {
    key: event.subject,
    value: JSON.stringify(event),
    headers: {
      'content-type': 'application/cloudevents+json; charset=UTF-8',
      ...(event.traceparent ? { traceparent: event.traceparent } : {}),
    },
  }
}

/** Attributes in `ce_` headers, data in the value: a reader that does not want the type need not parse the data. */
export function encodeBinary(event: CloudEvent): OutgoingRecord {
  const { data, datacontenttype = 'application/json', ...attributes } = event
  const headers: Record<string, string> = { 'content-type': datacontenttype }
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== null) headers[`ce_${name}`] = String(value)
  if (event.traceparent) headers.traceparent = event.traceparent
  return { key: event.subject, value: data === undefined ? null : JSON.stringify(data), headers }
}
