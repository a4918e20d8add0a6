import { afterEach, expect, test } from 'vitest'
import { createMetrics } from '../../shared/observability/metrics.ts'
import type { Verdict } from '../../shared/observability/progress.ts'
import { type ProbeServer, serveProbes } from './http.ts'

const servers: ProbeServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function serving(verdict: () => Verdict, port = 0) {
  const server = await serveProbes(port, { metrics: createMetrics(), verdict })
  servers.push(server)
  return { server, get: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method }) }
}

test('liveness does not ask what readiness asks', async () => {
  const { get } = await serving(() => ({ ready: false, reasons: ['Cassandra is away'] }))
  expect((await get('/livez')).status).toBe(200)
  const ready = await get('/readyz')
  expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reasons: ['Cassandra is away'] }])
})

test('readiness is 200 while there is no reason against it', async () => {
  const { get } = await serving(() => ({ ready: true, reasons: [] }))
  expect((await get('/readyz?verbose')).status).toBe(200)
})

test('metrics carry the Content-Type that Prometheus insists on', async () => {
  const { get } = await serving(() => ({ ready: true, reasons: [] }))
  const answer = await get('/metrics')
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await answer.text()).toContain('# TYPE tidemark_events_total counter')
})

test('other paths and methods are told what there is; a verdict that fails is no crash', async () => {
  const { get } = await serving(() => {
    throw new Error('broken')
  })
  expect((await get('/')).status).toBe(404)
  expect((await get('/livez', 'POST')).status).toBe(405)
  expect((await get('/readyz')).status).toBe(500)
  expect((await get('/livez', 'HEAD')).status).toBe(200)
})

test('a taken port is named, with the setting that changes it', async () => {
  const { server } = await serving(() => ({ ready: true, reasons: [] }))
  await expect(
    serveProbes(server.port, { metrics: createMetrics(), verdict: () => ({ ready: true, reasons: [] }) }),
  ).rejects.toThrow(`TIDEMARK_HTTP_PORT: port ${server.port} is taken`)
})

test('closing twice is closing once, and frees the port', async () => {
  const { server } = await serving(() => ({ ready: true, reasons: [] }))
  await server.close()
  await server.close()
  const { server: again } = await serving(() => ({ ready: true, reasons: [] }), server.port)
  expect(again.port).toBe(server.port)
})
