/**
 * One Redis server: a connection to publish and run scripts, one to subscribe. It is ready when both are there and all that
 * it is to be asked for is subscribed to.
 */
import type { Redis } from 'ioredis'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import { connectRedis, type RedisConnection } from './redis-connection.ts'
import type { Topic, Topics } from './topics.ts'

export interface RedisNodeOwner {
  /** What this server is to be subscribed to. */
  topicsFor(node: RedisNode): Iterable<Topic>
  /** In a Cluster, messages of this topic stay on one server. */
  isSharded(topic: Topic): boolean
  /** The connection to publish is there; asked before the server counts as ready. */
  onConnected(node: RedisNode): Promise<void>
  /** It became ready, or is not any more. */
  onReview(): void
  onFailed(reason: string): void
  /** It says that another server has what it was asked for. */
  onMoved(): void
}

export class RedisNode {
  /** `host:port` */
  readonly key: string
  readonly #topics: Topics
  readonly #owner: RedisNodeOwner
  readonly #log: Logger
  readonly #publisher: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #subscribed = new Map<Topic, boolean>()
  readonly #connected = { publisher: false, subscriber: false }
  /** Counts the times that all was asked for: only the latest answer counts. */
  #round = 0
  #closed = false

  constructor(key: string, url: Secret, topics: Topics, owner: RedisNodeOwner, log: Logger) {
    this.key = key
    this.#topics = topics
    this.#owner = owner
    this.#log = log
    const failed = (reason: string) => owner.onFailed(reason)
    this.#publisher = connectRedis(url, 'publisher', {
      ready: () => void this.#greet(),
      closed: () => this.#gone('publisher'),
      failed,
    })
    this.#subscriber = connectRedis(url, 'subscriber', {
      ready: () => void this.renew(),
      closed: () => this.#gone('subscriber'),
      failed,
    })
    this.#listen(this.#subscriber.redis)
  }

  get isReady(): boolean {
    return this.#connected.publisher && this.#connected.subscriber
  }

  /** To publish and run scripts; undefined while it is not there. */
  get publisher(): Redis | undefined {
    return this.#publisher.redis.status === 'ready' ? this.#publisher.redis : undefined
  }

  /** @returns undefined when the connection went while it was asked */
  async about(): Promise<{ isCluster: boolean; shards: boolean } | undefined> {
    const { publisher } = this
    try {
      const [server, cluster] = await Promise.all([publisher?.info('server'), publisher?.info('cluster')])
      const major = Number(/redis_version:(\d+)/.exec(server ?? '')?.[1] ?? 7)
      return { isCluster: /cluster_enabled:1/.test(cluster ?? ''), shards: major >= 7 }
    } catch {
      // Not allowed to this user, or gone: then it is greeted anew.
      return publisher?.status === 'ready' ? { isCluster: false, shards: true } : undefined
    }
  }

  /** Subscribes to all that it is to be asked for, and to nothing else. Until that is done it is not ready. */
  async renew(): Promise<void> {
    const round = ++this.#round
    this.#connected.subscriber = false
    const wanted = new Set(this.#owner.topicsFor(this))
    for (const [topic, sharded] of this.#subscribed) {
      if (!wanted.has(topic) || sharded !== this.#owner.isSharded(topic)) this.end(topic)
    }
    const asked = await Promise.all([...wanted].map(topic => this.ask(topic)))
    if (round !== this.#round || this.#closed) return
    this.#connected.subscriber = this.#subscriber.redis.status === 'ready' && asked.every(Boolean)
    this.#owner.onReview()
  }

  /** @returns whether it is subscribed to now */
  async ask(topic: Topic): Promise<boolean> {
    const { redis } = this.#subscriber
    if (redis.status !== 'ready') return false
    const sharded = this.#owner.isSharded(topic)
    this.#subscribed.set(topic, sharded)
    try {
      if (sharded) await redis.ssubscribe(topic.wireName)
      else await (topic.isPattern ? redis.psubscribe(topic.wireName) : redis.subscribe(topic.wireName))
      topic.confirm()
      return true
    } catch (error) {
      // Asked for again on the next connection, or at the server that has it now. ("Moved" says so itself.)
      if (redis.status === 'ready' && !/MOVED|CLUSTERDOWN/.test(String(error))) {
        this.#log.error({ reason: String(error), channel: topic.name }, 'Redis refuses a subscription')
      }
      return false
    }
  }

  end(topic: Topic): void {
    const sharded = this.#subscribed.get(topic)
    const { redis } = this.#subscriber
    if (sharded === undefined || !this.#subscribed.delete(topic) || redis.status !== 'ready') return
    const ended = sharded
      ? redis.sunsubscribe(topic.wireName)
      : topic.isPattern
        ? redis.punsubscribe(topic.wireName)
        : redis.unsubscribe(topic.wireName)
    ended.catch(error => this.#log.debug({ reason: String(error) }, 'a subscription ended with its connection'))
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#publisher.close(), this.#subscriber.close()])
  }

  async #greet(): Promise<void> {
    await this.#owner.onConnected(this)
    if (this.#closed || !this.publisher) return
    this.#connected.publisher = true
    this.#owner.onReview()
  }

  #gone(which: 'publisher' | 'subscriber'): void {
    if (which === 'subscriber') {
      this.#round++
      this.#subscribed.clear()
    }
    this.#connected[which] = false
    if (!this.#closed) this.#owner.onReview()
  }

  #listen(redis: Redis): void {
    const deliver = (channel: Buffer, message: Buffer) => this.#topics.deliver(channel, message)
    redis.on('messageBuffer', deliver)
    redis.on('smessageBuffer', deliver)
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => {
      this.#topics.deliver(channel, message, pattern.toString())
    })
    redis.on('moved', () => this.#owner.onMoved())
  }
}
