/**
 * The servers behind REDIS_URL: one, or the masters of a Cluster, which of them has what, and whether all are there.
 *
 * One address: the server is asked whether it belongs to a Cluster, each time it is connected to. Several addresses: a
 * Cluster. Of a Cluster every instance holds connections to all masters: what instances tell each other of one board
 * stays on the server of its slot (sharded pub/sub, Redis ≥ 7), the rest goes over the first master, as any server
 * passes plain messages on to all others. (ioredis's own Cluster subscribes again by itself but tells nobody when that
 * is done, or that it failed: and `up` means that nothing more can be missed.)
 */
import type { Logger } from '../base/log.ts'
import { redisAddresses, serverOf } from '../base/redis-addresses.ts'
import { Secret } from '../base/secret.ts'
import { isBetweenInstances } from '../contract/channels.ts'
import { RedisNode, type RedisNodeOwner } from './redis-node.ts'
import type { RunScript } from './redis-scripts.ts'
import { readSlots, type SlotRange, slotOf } from './redis-slots.ts'
import { type Topic, Topics } from './topics.ts'

/** So often a Cluster is asked what belongs where, unless it says itself that something moved. */
const lookEveryMs = 2_000
const lookAgainAfterMs = 100

export class RedisNodes implements RedisNodeOwner {
  readonly topics: Topics
  readonly #seeds: ReadonlyMap<string, Secret>
  readonly #log: Logger
  readonly #on: { review(): void; failed(reason: string): void }
  readonly #nodes = new Map<string, RedisNode>()
  readonly #timer: NodeJS.Timeout
  #kind: 'unknown' | 'server' | 'cluster'
  #shards = true
  /** Of a Cluster: the key of the node that has each slot. */
  #owners: readonly string[] = []
  #ranges = ''
  #looking = false
  #soon: NodeJS.Timeout | undefined
  #closed = false

  constructor(url: Secret, log: Logger, on: { review(): void; failed(reason: string): void }) {
    this.#log = log
    this.#on = on
    this.topics = new Topics(log, {
      onFirst: topic => void this.#nodeOf(topic)?.ask(topic),
      onLast: topic => this.#nodeOf(topic)?.end(topic),
    })
    const seeds = redisAddresses(url.reveal()) ?? []
    this.#seeds = new Map(seeds.map(seed => [serverOf(seed), new Secret(seed.href)]))
    this.#kind = seeds.length > 1 ? 'cluster' : 'unknown'
    this.#timer = setInterval(() => void this.#look(false), lookEveryMs)
    this.#connectSeeds()
  }

  /** What is published goes out, and everything that is listened to is heard. */
  get isUp(): boolean {
    if (this.#kind === 'unknown' || (this.#kind === 'cluster' && this.#owners.length === 0)) return false
    return [...this.#nodes.values()].every(node => node.isReady)
  }

  /** Rejects, or resolves with undefined, when it could not be sent. */
  async publish(channel: string, message: Buffer): Promise<unknown> {
    if (this.#isSharded(channel)) return this.#moving(this.#holderOf(channel)?.publisher?.spublish(channel, message))
    return this.#home?.publisher?.publish(channel, message)
  }

  readonly run: RunScript = async (script, keys, args) => {
    const redis = (this.#kind === 'cluster' ? this.#holderOf(keys[0] ?? '') : this.#home)?.publisher
    if (!redis) throw new Error('Redis is not there')
    return this.#moving(redis.eval(script, keys.length, ...keys, ...args))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.topics.clear()
    await Promise.all([...this.#nodes.values()].map(node => node.close()))
  }

  topicsFor(node: RedisNode): Topic[] {
    return [...this.topics].filter(topic => this.#nodeOf(topic) === node)
  }

  isSharded(topic: Topic): boolean {
    return !topic.isPattern && this.#isSharded(topic.name)
  }

  async onConnected(node: RedisNode): Promise<void> {
    const before = this.#kind
    const about = await node.about()
    if (this.#closed || !about) return
    this.#shards = about.shards
    if (this.#seeds.size === 1 && this.#nodes.size === 1) this.#kind = about.isCluster ? 'cluster' : 'server'
    if (this.#kind === 'cluster') await this.#look(false)
    else if (before !== this.#kind) await node.renew()
  }

  onReview(): void {
    this.#on.review()
  }

  onFailed(reason: string): void {
    this.#on.failed(reason)
  }

  onMoved(): void {
    if (this.#closed) return
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      void this.#look(true)
    }, lookAgainAfterMs)
  }

  /** Where plain messages go. */
  get #home(): RedisNode | undefined {
    if (this.#kind === 'unknown') return undefined
    const [first] = [...this.#nodes.keys()].sort()
    return this.#nodes.get(first ?? '')
  }

  #isSharded(channel: string): boolean {
    return this.#kind === 'cluster' && this.#shards && isBetweenInstances(channel)
  }

  #holderOf(key: string): RedisNode | undefined {
    return this.#nodes.get(this.#owners[slotOf(key)] ?? '')
  }

  #nodeOf(topic: Topic): RedisNode | undefined {
    return this.isSharded(topic) ? this.#holderOf(topic.name) : this.#home
  }

  async #moving<T>(command: Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await command
    } catch (error) {
      if (String(error).includes('MOVED')) this.onMoved()
      throw error
    }
  }

  /** Asks the Cluster what belongs where. @param anew all is subscribed to again, also where nothing seems to have moved */
  async #look(anew: boolean): Promise<void> {
    if (this.#kind !== 'cluster' || this.#closed) return
    if (this.#looking) {
      if (anew) this.onMoved()
      return
    }
    this.#looking = true
    try {
      const ranges = await this.#askForSlots()
      if (this.#closed) return
      if (ranges) this.#settle(ranges, anew)
      else this.#connectSeeds()
    } finally {
      this.#looking = false
    }
  }

  async #askForSlots(): Promise<SlotRange[] | undefined> {
    for (const node of this.#nodes.values()) {
      try {
        const ranges = readSlots(await node.publisher?.cluster('SLOTS'), node.key)
        if (ranges) return ranges
      } catch (error) {
        this.onFailed(String(error))
      }
    }
    return undefined
  }

  #settle(ranges: readonly SlotRange[], anew: boolean): void {
    const told = JSON.stringify(ranges)
    const moved = told !== this.#ranges
    this.#ranges = told
    if (moved) {
      this.#owners = ranges.flatMap(({ from, to, owner }) => Array<string>(to - from + 1).fill(owner))
      const masters = new Set(ranges.map(({ owner }) => owner))
      for (const master of masters) this.#connect(master)
      for (const [key, node] of this.#nodes) {
        if (masters.has(key)) continue
        this.#nodes.delete(key)
        node.close().catch(error => this.#log.warn({ reason: String(error) }, 'a connection could not be closed'))
      }
    }
    for (const node of this.#nodes.values()) {
      if (moved || anew || !node.isReady) void node.renew()
    }
    this.#on.review()
  }

  #connectSeeds(): void {
    for (const [key, url] of this.#seeds) {
      if (!this.#nodes.has(key)) this.#nodes.set(key, new RedisNode(key, url, this.topics, this, this.#log))
    }
  }

  /** A master: with the credentials of the addresses that were given. */
  #connect(server: string): void {
    const [seed] = this.#seeds.values()
    if (this.#nodes.has(server) || !seed) return
    const url = new URL(seed.reveal())
    url.host = server
    this.#nodes.set(server, new RedisNode(server, new Secret(url.href), this.topics, this, this.#log))
  }
}
