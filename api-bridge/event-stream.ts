/**
 * The events of a board on their way to one client. What waits for a client that reads slowly is bounded: over the bound
 * the connection is cut, and the client resumes from the last event that it has.
 */
import { Readable } from 'node:stream'
import { commentFrame } from './event-frames.ts'

const waitingBytesAtMost = 4 * 1024 * 1024
const commentEveryMs = 15_000

export class EventStream extends Readable {
  /** What happens while the past is still being told. */
  #held: Buffer[] | undefined
  #heldBytes = 0
  #room: (() => void) | undefined
  #finished = false
  readonly #comments: NodeJS.Timeout

  constructor() {
    super()
    this.#comments = setInterval(() => this.tell(commentFrame), commentEveryMs)
  }

  /** Now, or after the past where that is being told. */
  tell(frame: Buffer): void {
    if (this.destroyed || this.#finished) return
    if (this.readableLength + this.#heldBytes > waitingBytesAtMost) this.destroy()
    else if (this.#held) {
      this.#held.push(frame)
      this.#heldBytes += frame.byteLength
    } else this.push(frame)
  }

  /** From now on {@link tell} waits until {@link toldPast}. */
  holdBack(): void {
    this.#held ??= []
  }

  /** Resolves when there is room for more, or nobody reads any longer. @returns whether somebody does */
  async tellPast(frame: Buffer): Promise<boolean> {
    if (this.destroyed || this.#finished) return false
    if (!this.push(frame)) {
      await new Promise<void>(resolve => {
        this.#room = resolve
      })
    }
    return !this.destroyed && !this.#finished
  }

  toldPast(): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#heldBytes = 0
    for (const frame of held) this.tell(frame)
  }

  /** The client gets what it has not yet got, and then connects again. */
  finish(): void {
    if (this.destroyed || this.#finished) return
    this.#finished = true
    this.push(null)
    clearInterval(this.#comments)
  }

  override _read(): void {
    this.#room?.()
    this.#room = undefined
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#comments)
    this._read()
    done(error)
  }
}
