import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, fastify, LogController } from 'fastify'
import { type Logger, type Probes, probeAnswer, probePaths } from '../observability/index.ts'
import { faultOf, HttpFault } from './fault.ts'

export interface ServerParts {
  /** `gateway`, `query`: names the API in its description. */
  readonly name: string
  readonly description: string
  readonly log: Logger
  readonly probes: Probes
  /** Bytes; larger requests are 413. */
  readonly bodyLimit: number
}

/**
 * A server with what all of ours have: probes and metrics, the API's description at `/openapi.json` and as a page at `/docs`, and one
 * shape of error, `{ error: { code, message, remedy } }`. Routes are added by the caller, before it listens.
 */
export async function createServer({
  name,
  description,
  log,
  probes,
  bodyLimit,
}: ServerParts): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = log
  const app: FastifyInstance = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    // A client that sends a byte a minute must not keep a connection for ever.
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 4_096 },
    frameworkErrors: (error, _, reply: FastifyReply) => void answer(reply, faultOf(error)),
  })
  app.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error)
    const what = { err: error, method: request.method, path: request.routeOptions.url }
    // An outage is said by who waits for its end, once; here it would be said for every request.
    if (fault.status === 503) log.debug(what, 'answered 503')
    else if (fault.status >= 500) log.error(what, `a request failed with ${fault.code}: its client was sent here`)
    return answer(reply, fault)
  })
  app.setNotFoundHandler(({ method, url }, reply) =>
    answer(reply, new HttpFault(404, 'NOT_FOUND', `there is nothing at ${method} ${url.split('?', 1)[0]}`)),
  )

  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: `Tidemark ${name}`, description, version: '1' } },
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  for (const path of probePaths) {
    app.get(path, { schema: { hide: true } }, async (_, reply) => {
      const found = await probeAnswer(path, probes)
      return reply
        .code(found?.status ?? 404)
        .type(found?.contentType ?? 'text/plain')
        .header('cache-control', 'no-store')
        .send(found?.body ?? '')
    })
  }
  return app
}

function answer(reply: FastifyReply, fault: HttpFault): FastifyReply {
  if (fault.retryAfter !== undefined) reply.header('retry-after', String(fault.retryAfter))
  return reply.code(fault.status).type('application/json; charset=utf-8').send(JSON.stringify(fault.body))
}

/** For routes that check what they get themselves: their schemas describe, and neither refuse nor reshape anything. */
export const describedOnly = {
  validatorCompiler: () => () => true,
  serializerCompiler: () => (data: unknown) => JSON.stringify(data),
}
