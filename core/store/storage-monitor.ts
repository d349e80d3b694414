/** Knows whether the database answers, so that `/health` and joins need not ask it themselves. */
import type { Logger } from '../base/log.ts'
import type { Storage } from './storage.ts'

const probeEveryMs = 2_000
/** A probe without an answer for this long counts as an outage: noticed within 5 s of its beginning. */
const probeTimeoutMs = 2_500

export type StorageState = 'up' | 'down'

export class StorageMonitor {
  readonly #storage: Pick<Storage, 'ping'>
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #state: StorageState = 'up'
  #probing = false

  constructor(storage: Pick<Storage, 'ping'>, log: Logger) {
    this.#storage = storage
    this.#log = log
    this.#timer = setInterval(() => void this.probe(), probeEveryMs)
  }

  get state(): StorageState {
    return this.#state
  }

  /** Whoever uses the database tells what it saw: quicker than the next probe. */
  report(state: StorageState): void {
    if (state === this.#state) return
    this.#state = state
    if (state === 'down') this.#log.error('storage is down')
    else this.#log.info('storage is up')
  }

  async probe(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    const overdue = setTimeout(() => this.report('down'), probeTimeoutMs)
    try {
      await this.#storage.ping()
      this.report('up')
    } catch (error) {
      this.#log.debug({ err: error }, 'storage probe failed')
      this.report('down')
    } finally {
      clearTimeout(overdue)
      this.#probing = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
