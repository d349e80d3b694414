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

  app.addHook('onRequest', async (request, reply) => {
    const caller = callerOf(request, trustedProxies)
    const bucket = buckets.get(caller) ?? new TokenBucket(rate)
    buckets.set(caller, bucket)
    const granted = bucket.take()
    reply.headers(limitsOf(bucket))
    if (!granted) throw rateLimited(bucket, 'this credential may make so many requests')
  })
}

/** @param limited what there were too many of */
export function rateLimited(bucket: TokenBucket, limited: string): Problem {
  const { perSecond, burst } = bucket.rate
  const seconds = Math.max(1, Math.ceil(bucket.msUntil(1) / 1_000))
  return new Problem('rate-limited', `${limited}: ${perSecond} a second, ${burst} at once; try again in ${seconds} s`, {
    headers: { ...limitsOf(bucket), 'retry-after': `${seconds}` },
  })
}

function limitsOf(bucket: TokenBucket): Record<string, string> {
  const { perSecond, burst } = bucket.rate
  return {
    'ratelimit-policy': `${burst};w=${Math.ceil(burst / perSecond)}`,
    'ratelimit-limit': `${burst}`,
    'ratelimit-remaining': `${Math.max(0, Math.floor(bucket.left()))}`,
    'ratelimit-reset': `${Math.ceil(bucket.msUntil(burst) / 1_000)}`,
  }
}

/** Whom a request counts for. */
export const callerOf = ({ grant, raw }: FastifyRequest, trustedProxies: number): string =>
  grant.authenticated ? `subject ${grant.subject}` : `address ${callerAddress(raw, trustedProxies)}`
