/** Redis over TLS: used when its certificate is trusted, and refused with a reason when it is not. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { selfSigned } from '../kit/certificate.ts'
import { startInstance } from '../kit/instance.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { releasing } from '../kit/releasing.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const useForAll = releasing(afterAll)
let redis: Redis
let certificate: ReturnType<typeof selfSigned>
beforeAll(async () => {
  certificate = useForAll(selfSigned('127.0.0.1'))
  redis = useForAll(await startRedis({ tls: certificate, password: 'hunter2' }))
}, 120_000)

const busOf = async ({ url }: { url: string }) => {
  const answer = await fetch(`${url}/health`)
  return ((await answer.json()) as { bus: string }).bus
}

test('a certificate that NODE_EXTRA_CA_CERTS makes trusted is taken', async () => {
  const instance = use(
    await startInstance({ REDIS_URL: redis.url, NODE_EXTRA_CA_CERTS: certificate.authority, LOG_LEVEL: 'info' }),
  )
  await until(async () => (await busOf(instance)) === 'up')
  expect(await redis.client.pubsub('NUMPAT')).toBeGreaterThan(0)
}, 120_000)

test('one that nobody vouches for is refused, and the log says why', async () => {
  const instance = use(await startInstance({ REDIS_URL: redis.url, NODE_EXTRA_CA_CERTS: '' }))
  await until(() => instance.output().includes('Redis is not there'))
  expect(instance.output()).toMatch(/self-signed certificate/i)
  expect(instance.output()).not.toContain('hunter2')
  expect(await busOf(instance)).toBe('down')
}, 120_000)

test('one of another server is refused, though its authority is trusted', async () => {
  const elsewhere = use(selfSigned('127.0.0.9'))
  const wrong = use(await startRedis({ tls: elsewhere }))
  const instance = use(await startInstance({ REDIS_URL: wrong.url, NODE_EXTRA_CA_CERTS: elsewhere.authority }))
  await until(() => instance.output().includes('Redis is not there'))
  expect(instance.output()).toMatch(/does not match certificate/i)
  expect(await busOf(instance)).toBe('down')
}, 120_000)
