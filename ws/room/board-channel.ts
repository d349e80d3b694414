/** One bus channel of an open board. What is published is dropped while the bus is down, as it does with everything. */
import type { Logger } from '../../core/base/log.ts'
import type { Bus } from '../../core/bus/bus.ts'

export class BoardChannel {
  readonly #bus: Bus
  readonly #name: string
  #unsubscribe: (() => void) | undefined
  #closed = false

  private constructor(bus: Bus, name: string) {
    this.#bus = bus
    this.#name = name
  }

  /**
   * Resolves once it hears, or after a moment.
   * @param onLate it hears only now; what was published until now is lost
   */
  static async open(
    bus: Bus,
    name: string,
    hear: (message: Uint8Array) => void,
    onLate: () => void,
    log: Logger,
  ): Promise<BoardChannel> {
    const channel = new BoardChannel(bus, name)
    try {
      const onMessage = (_channel: string, message: Uint8Array) => {
        if (!channel.#closed) hear(message)
      }
      channel.#unsubscribe = await bus.subscribe(name, onMessage, onLate)
    } catch (error) {
      log.warn({ err: error, channel: name }, 'could not subscribe; looking at the log instead')
    }
    return channel
  }

  /** Whether anybody but this board's room here may hear what is published. */
  get reachesOthers(): boolean {
    return !this.#closed && this.#bus.mayReachOthers(this.#name)
  }

  publish(message: Uint8Array): void {
    if (!this.#closed) this.#bus.publish(this.#name, message)
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe?.()
  }
}
