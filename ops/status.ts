/** What whoever runs an instance asks of it: is it alive, does it take traffic, what does it count. Never asks the database. */
import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../core/base/metrics.ts'

export interface Status {
  rooms: number
  connections: number
  storage: 'up' | 'down'
  bus: 'up' | 'down'
  draining: boolean
  /** Age of the oldest edit that is not in the log yet. */
  lagSeconds: number
}

export function statusRoutes(app: FastifyInstance, version: string, metrics: Metrics, read: () => Status): void {
  app.get('/health', async () => {
    const { rooms, connections, storage, bus } = read()
    const status = storage === 'up' && bus === 'up' ? 'ok' : 'degraded'
    return { status, rooms, connections, storage, bus, version }
  })

  app.get('/ready', async (_request, reply) => {
    const { draining, storage } = read()
    const reason = draining ? 'draining' : storage === 'down' ? 'storage is down' : undefined
    return reason === undefined ? { ready: true } : reply.status(503).send({ ready: false, reason })
  })

  app.get('/metrics', async (_request, reply) => {
    const { rooms, lagSeconds } = read()
    metrics.rooms.set(rooms)
    metrics.logLagSeconds.set(lagSeconds)
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}
