/** What an instance listens to on Redis: handlers by channel or pattern, subscribed to again on every new connection. */
import type { Redis } from 'ioredis'
import type { Logger } from '../base/log.ts'
import { pause } from '../base/pause.ts'
import type { BusHandler } from './bus.ts'

/** A subscription is waited for this long; one that takes longer becomes effective when Redis comes back. */
const confirmedWithinMs = 250

interface Topic {
  name: string
  /** As Redis is told: a pattern of ours knows only `*`. */
  wireName: string
  isPattern: boolean
  handlers: Set<{ handler: BusHandler }>
  confirmed: Promise<void>
  confirm: () => void
}

export class RedisSubscriptions {
  readonly #redis: Redis
  readonly #log: Logger
  readonly #channels = new Map<string, Topic>()
  readonly #patterns = new Map<string, Topic>()

  constructor(redis: Redis, log: Logger) {
    this.#redis = redis
    this.#log = log
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#deliver(this.#channels.get(channel.toString()), channel, message)
    })
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => {
      this.#deliver(this.#patterns.get(pattern.toString()), channel, message)
    })
  }

  async subscribe(name: string, handler: BusHandler): Promise<() => void> {
    const topic = this.#topicOf(name)
    const subscription = { handler }
    topic.handlers.add(subscription)
    await Promise.race([topic.confirmed, pause(confirmedWithinMs)])
    return () => {
      if (topic.handlers.delete(subscription) && topic.handlers.size === 0) this.#end(topic)
    }
  }

  /** On a new connection. @returns whether everything is subscribed to; not when that connection is gone, too */
  async renew(): Promise<boolean> {
    const topics = [...this.#channels.values(), ...this.#patterns.values()]
    const asked = await Promise.all(topics.map(topic => this.#ask(topic)))
    return asked.every(Boolean)
  }

  clear(): void {
    for (const topics of [this.#channels, this.#patterns]) {
      for (const topic of topics.values()) topic.confirm()
      topics.clear()
    }
  }

  #topicOf(name: string): Topic {
    const isPattern = name.includes('*')
    const topics = isPattern ? this.#patterns : this.#channels
    const wireName = isPattern ? name.replace(/[\\?[\]]/g, '\\$&') : name
    const existing = topics.get(wireName)
    if (existing) return existing
    let confirm = () => {}
    const confirmed = new Promise<void>(resolve => {
      confirm = resolve
    })
    const topic = { name, wireName, isPattern, handlers: new Set<{ handler: BusHandler }>(), confirmed, confirm }
    topics.set(wireName, topic)
    if (this.#redis.status === 'ready') void this.#ask(topic)
    return topic
  }

  async #ask({ name, wireName, isPattern, confirm }: Topic): Promise<boolean> {
    try {
      await (isPattern ? this.#redis.psubscribe(wireName) : this.#redis.subscribe(wireName))
      confirm()
      return true
    } catch (error) {
      // Asked for again on the next connection.
      if (this.#redis.status === 'ready') {
        this.#log.error({ reason: String(error), channel: name }, 'Redis refuses a subscription')
      }
      return false
    }
  }

  #end({ wireName, isPattern }: Topic): void {
    const topics = isPattern ? this.#patterns : this.#channels
    topics.delete(wireName)
    if (this.#redis.status !== 'ready') return
    const ended = isPattern ? this.#redis.punsubscribe(wireName) : this.#redis.unsubscribe(wireName)
    ended.catch(error => this.#log.debug({ reason: String(error) }, 'a subscription ended with its connection'))
  }

  #deliver(topic: Topic | undefined, channelBytes: Buffer, bytes: Buffer): void {
    if (!topic) return
    const channel = channelBytes.toString()
    const message = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const { handler } of topic.handlers) {
      try {
        handler(channel, message)
      } catch (error) {
        this.#log.error({ err: error, channel }, 'a message of the bus could not be handled')
      }
    }
  }
}
