/**
 * A place in a deployment: one instance, which can be killed and started again with the same settings, and which reaches
 * Postgres and Redis only through proxies of its own, so that it alone can be cut off from either.
 */

import { type Instance, type Settings, startInstance } from './instance.ts'
import { type Proxy as Link, startProxy } from './proxy.ts'
import type { Stoppable } from './releasing.ts'

export interface Health {
  status: 'ok' | 'degraded'
  storage: 'up' | 'down'
  bus: 'up' | 'down'
  connections: number
}

interface Links {
  postgres: Link
  redis: Link
}

export interface SeatSettings extends Settings {
  DATABASE_URL: string
  REDIS_URL: string
}

export class Seat implements Stoppable {
  readonly links: Links
  /** What the instances had printed that ended by themselves. */
  readonly ownEnds: string[] = []
  readonly #settings: SeatSettings
  #instance: Instance | undefined
  #stopped = false
  #ending = false

  private constructor(settings: SeatSettings, links: Links) {
    this.#settings = settings
    this.links = links
  }

  /** @returns a seat whose instance is ready */
  static async take(settings: SeatSettings): Promise<Seat> {
    const [postgres, redis] = await Promise.all([proxyTo(settings.DATABASE_URL), proxyTo(settings.REDIS_URL)])
    const through = {
      DATABASE_URL: postgres.through(settings.DATABASE_URL),
      REDIS_URL: redis.through(settings.REDIS_URL),
    }
    const seat = new Seat({ LOG_LEVEL: 'fatal', ...settings, ...through }, { postgres, redis })
    await seat.start()
    return seat
  }

  /** The instance that sits here now. */
  get instance(): Instance {
    if (!this.#instance) throw new Error('nobody sits here now')
    return this.#instance
  }

  /** Where it is reached; nowhere while it is gone. */
  get addresses(): string[] {
    return this.#instance ? [this.#instance.url] : []
  }

  async health(): Promise<Health> {
    const answer = await fetch(`${this.instance.url}/health`, { signal: AbortSignal.timeout(2_000) })
    return (await answer.json()) as Health
  }

  async start(): Promise<void> {
    const instance = await startInstance(this.#settings)
    // Its seat may have been given up while it started.
    if (this.#stopped) {
      await instance.stop()
      return
    }
    this.#instance = instance
    this.#ending = false
    void instance.exited.then(({ code, signal }) => {
      if (!this.#ending) this.ownEnds.push(`an instance ended by itself, with ${code ?? signal}:\n${instance.output()}`)
    })
  }

  /** Ends the instance, and waits until it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { instance } = this
    this.#ending = true
    if (signal === 'SIGKILL') this.#instance = undefined
    const exit = await instance.kill(signal)
    if (this.#instance === instance) this.#instance = undefined
    await instance.stop()
    return exit
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#ending = true
    await this.#instance?.stop()
    await Promise.all([this.links.postgres.stop(), this.links.redis.stop()])
  }
}

function proxyTo(url: string): Promise<Link> {
  const { hostname, port } = new URL(url)
  return startProxy({ host: hostname, port: Number(port) })
}
