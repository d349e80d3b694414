/** What a test file needs for instances that have a real Redis between them: one storage, one Redis, and a way to start them. */
import { afterAll, beforeAll } from 'vitest'
import { Secret } from '../../core/base/secret.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { createRedisBus } from '../../core/bus/redis.ts'
import type { Storage } from '../../core/store/storage.ts'
import { type Redis, startRedis } from './redis.ts'
import { releasing, type Stoppable, type Use } from './releasing.ts'
import { embeddedStorage, Site, type SiteOptions, silent } from './site.ts'
import { until } from './until.ts'

export interface OnRedis {
  /** There when the tests run, not before. */
  readonly storage: Storage
  readonly redis: Redis
  /** An instance that no bus connects with the others. */
  start(options?: Partial<SiteOptions>): Promise<Site>
  /** An instance on this Redis, connected. Applies no item changes unless it is told to. */
  startOnRedis(options?: Partial<SiteOptions>): Promise<{ site: Site; bus: Bus }>
}

/**
 * At the top of a test file.
 *
 * @param use releases what a test started
 */
export function onRedis(use: Use): OnRedis {
  const useForAll = releasing(afterAll)
  let storage: Storage & Stoppable
  let redis: Redis
  beforeAll(async () => {
    storage = useForAll(await embeddedStorage())
    redis = useForAll(await startRedis())
  }, 120_000)

  const start = async (options: Partial<SiteOptions> = {}) => use(await Site.start({ storage, ...options }))
  return {
    get storage() {
      return storage
    },
    get redis() {
      return redis
    },
    start,
    async startOnRedis(options = {}) {
      const bus = use(createRedisBus(new Secret(redis.url), silent), given => given.close())
      const site = await start({ bus, applies: false, ...options })
      await until(() => bus.state === 'up')
      return { site, bus }
    },
  }
}
