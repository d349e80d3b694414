/** What whoever runs an instance asks of it: is it alive, does it take traffic, what does it count. Never asks the database. */
import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../core/base/metrics.ts'
import type { InstanceList } from './instance-list.ts'

const health = '/health'
const ready = '/ready'
const metricsAddress = '/metrics'
export const statusAddresses = [health, ready, metricsAddress]

export interface Status {
  rooms: number
  /** Those on which somebody is on another instance, too. */
  roomsShared: number
  connections: number
  storage: 'up' | 'down'
  bus: 'up' | 'down'
  draining: boolean
  /** Age of the oldest edit that is not in the log yet. */
  lagSeconds: number
}

/** @param instances what this one knows of them */
export function statusRoutes(
  app: FastifyInstance,
  version: string,
  metrics: Metrics,
  instances: InstanceList,
  read: () => Status,
): void {
  app.get(health, async () => {
    const { rooms, connections, storage, bus } = read()
    const status = storage === 'up' && bus === 'up' ? 'ok' : 'degraded'
    return { status, rooms, connections, storage, bus, version }
  })

  app.get(ready, async (_request, reply) => {
    const { draining, storage } = read()
    const reason = draining ? 'draining' : storage === 'down' ? 'storage is down' : undefined
    const known = { instances: instances.all(), ...(instances.isPartial && { partial: true }) }
    if (reason === undefined) return { ready: true, ...known }
    return reply.status(503).send({ ready: false, reason, ...known })
  })

  app.get(metricsAddress, async (_request, reply) => {
    const { rooms, roomsShared, lagSeconds } = read()
    metrics.rooms.set(rooms)
    metrics.roomsShared.set(roomsShared)
    metrics.instances.set(instances.all().length)
    metrics.logLagSeconds.set(lagSeconds)
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}
