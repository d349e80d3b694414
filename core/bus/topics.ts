/** What an instance listens to: handlers by channel or pattern, whichever connection their messages come in on. */
import type { Logger } from '../base/log.ts'
import { pause } from '../base/pause.ts'
import type { BusHandler } from './bus.ts'

/** A subscription is waited for this long; one that takes longer becomes effective when Redis comes back. */
const confirmedWithinMs = 250

export interface Topic {
  readonly name: string
  /** As Redis is told: a pattern of ours knows only `*`. */
  readonly wireName: string
  readonly isPattern: boolean
  readonly handlers: Set<{ handler: BusHandler }>
  readonly confirmed: Promise<void>
  /** It is subscribed to. */
  readonly confirm: () => void
}

export interface TopicsOwner {
  onFirst(topic: Topic): void
  onLast(topic: Topic): void
}

export class Topics {
  readonly #log: Logger
  readonly #owner: TopicsOwner
  readonly #channels = new Map<string, Topic>()
  readonly #patterns = new Map<string, Topic>()

  /** @param owner subscribes to a topic that somebody listens to, and ends that when nobody does any more */
  constructor(log: Logger, owner: TopicsOwner) {
    this.#log = log
    this.#owner = owner
  }

  *[Symbol.iterator](): Iterator<Topic> {
    yield* this.#channels.values()
    yield* this.#patterns.values()
  }

  /** @param onLate as the bus has it (`bus.ts`) */
  async subscribe(name: string, handler: BusHandler, onLate?: () => void): Promise<() => void> {
    const topic = this.#topicOf(name)
    const subscription = { handler }
    topic.handlers.add(subscription)
    let waits = true
    const confirmed = topic.confirmed.then(() => {
      if (!waits && topic.handlers.has(subscription)) onLate?.()
    })
    await Promise.race([confirmed, pause(confirmedWithinMs)])
    waits = false
    return () => {
      if (topic.handlers.delete(subscription) && topic.handlers.size === 0) this.#end(topic)
    }
  }

  /** @param pattern the one that the message came by */
  deliver(channelBytes: Buffer, bytes: Buffer, pattern?: string): void {
    const channel = channelBytes.toString()
    const topic = pattern === undefined ? this.#channels.get(channel) : this.#patterns.get(pattern)
    if (!topic) return
    const message = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const { handler } of topic.handlers) {
      try {
        handler(channel, message)
      } catch (error) {
        this.#log.error({ err: error, channel }, 'a message of the bus could not be handled')
      }
    }
  }

  clear(): void {
    for (const topic of this) {
      topic.handlers.clear()
      topic.confirm()
    }
    this.#channels.clear()
    this.#patterns.clear()
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
    this.#owner.onFirst(topic)
    return topic
  }

  #end(topic: Topic): void {
    const topics = topic.isPattern ? this.#patterns : this.#channels
    // Cleared meanwhile, and listened to anew.
    if (topics.get(topic.wireName) !== topic) return
    topics.delete(topic.wireName)
    this.#owner.onLast(topic)
  }
}
