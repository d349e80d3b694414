/**
 * One bus channel of an open board. Subscribing is waited for a moment only: a bus that does not answer keeps no board
 * from opening. What is published is dropped while it is down, as the bus does with everything.
 */
import type { Logger } from '../../core/base/log.ts'
import type { Bus } from '../../core/bus/bus.ts'

const subscribedWithinMs = 250

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
   * Resolves once it hears, or after 250 ms.
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
    let late = false
    let timer: NodeJS.Timeout | undefined
    const waited = new Promise<void>(resolve => {
      timer = setTimeout(() => {
        late = true
        resolve()
      }, subscribedWithinMs)
    })
    const subscribed = bus
      .subscribe(name, (_channel, message) => {
        if (!channel.#closed) hear(message)
      })
      .then(
        unsubscribe => {
          channel.#unsubscribe = unsubscribe
          if (channel.#closed) unsubscribe()
          else if (late) onLate()
        },
        error => log.warn({ err: error, channel: name }, 'could not subscribe; looking at the log instead'),
      )
    await Promise.race([subscribed, waited])
    clearTimeout(timer)
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
