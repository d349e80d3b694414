/** How many requests a credential may make. Counted by this instance, in memory: nobody waits for it. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { callerAddress } from '../core/auth/client-address.ts'
import { type Rate, TokenBucket } from '../core/base/token-bucket.ts'
import { Problem } from './problems.ts'

/** Who asks less often than so many others begins anew. */
const callersRemembered = 10_000

export interface RequestLimits {
  rate: Rate
  trustedProxies: number
}

/**
 * Every request to `app` counts, after it is known who asks. Where nobody has to show who they are it counts for their address.
 * Answers say what is left (draft-ietf-httpapi-ratelimit-headers-07).
 */
export function limitRequests(app: FastifyInstance, { rate, trustedProxies }: RequestLimits): void {
  const buckets = new LRUCache<string, TokenBucket>({ max: callersRemembered })
  const policy = `${rate.burst};w=${Math.ceil(rate.burst / rate.perSecond)}`

  app.addHook('onRequest', async (request, reply) => {
    const caller = callerOf(request, trustedProxies)
    const bucket = buckets.get(caller) ?? new TokenBucket(rate)
    buckets.set(caller, bucket)
    const granted = bucket.take()
    reply.headers({
      'ratelimit-policy': policy,
      'ratelimit-limit': rate.burst,
      'ratelimit-remaining': Math.floor(bucket.left()),
      'ratelimit-reset': Math.ceil(bucket.msUntil(rate.burst) / 1_000),
    })
    if (granted) return
    const seconds = Math.max(1, Math.ceil(bucket.msUntil(1) / 1_000))
    throw new Problem(
      'rate-limited',
      `this credential may make ${rate.perSecond} requests a second, ${rate.burst} at once; try again in ${seconds} s`,
      { headers: { 'retry-after': `${seconds}` } },
    )
  })
}

const callerOf = ({ grant, raw }: FastifyRequest, trustedProxies: number): string =>
  grant.authenticated ? `subject ${grant.subject}` : `address ${callerAddress(raw, trustedProxies)}`
