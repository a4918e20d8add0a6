import type { IncomingHttpHeaders } from 'node:http'
import { text } from '../../shared/events/envelope.ts'
import { HttpFault } from '../../shared/http/index.ts'

/** What a request's body may be; binary mode is told by its `ce-` headers. */
export const mediaTypes = [
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/json',
] as const

/**
 * The events of a request as they were sent, unchecked: one structured event, a batch, or one in binary mode (attributes in `ce-`
 * headers, data as the body). Throws 400 if the body is not what its media type says.
 */
export function readEvents(mediaType: string, headers: IncomingHttpHeaders, body: Buffer): readonly unknown[] {
  if (headers['ce-specversion'] !== undefined) {
    if (mediaType !== 'application/json')
      throw new HttpFault(
        415,
        'MEDIA_TYPE_UNKNOWN',
        `binary mode (ce- headers) takes data as application/json, not ${mediaType}`,
      )
    return [{ ...attributes(headers), ...(body.length > 0 ? { data: json(body) } : {}) }]
  }
  const given = json(body)
  if (Array.isArray(given)) {
    if (mediaType === 'application/cloudevents+json')
      throw new HttpFault(
        400,
        'REQUEST_INVALID',
        'application/cloudevents+json is one event; a list is application/cloudevents-batch+json',
      )
    return given
  }
  if (mediaType === 'application/cloudevents-batch+json')
    throw new HttpFault(400, 'REQUEST_INVALID', 'application/cloudevents-batch+json is a JSON array of events')
  return [given]
}

function attributes(headers: IncomingHttpHeaders): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('ce-') && typeof value === 'string') found[name.slice(3)] = percentDecoded(name, value)
  }
  return found
}

/** The CloudEvents HTTP binding percent-encodes what does not fit into a header. */
function percentDecoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new HttpFault(400, 'REQUEST_INVALID', `header ${name} is not percent-encoded UTF-8`)
  }
}

function json(body: Buffer): unknown {
  if (body.length === 0) throw new HttpFault(400, 'REQUEST_INVALID', 'the request has no body')
  const decoded = text(body)
  if (decoded === undefined) throw new HttpFault(400, 'REQUEST_INVALID', 'the body is not UTF-8')
  try {
    return JSON.parse(decoded)
  } catch (cause) {
    throw new HttpFault(
      400,
      'REQUEST_INVALID',
      `the body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}
