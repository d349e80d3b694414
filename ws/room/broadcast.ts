/**
 * What is in the log goes out to every peer, its author included: as one frame that all of them share, and never before what
 * it may refer to. Yjs would apply its deletions at once, and the rest later.
 */
import { encodeUpdate } from '../protocol/frames.ts'
import type { Audience } from './audience.ts'
import type { Base } from './base.ts'
import { merged } from './batch.ts'
import type { BoardSize } from './board-size.ts'
import type { CommitLine } from './commit-line.ts'

export class Broadcast {
  readonly #line: CommitLine
  readonly #audience: Audience
  readonly #base: Base
  readonly #size: BoardSize
  /** What was read from the log and waits at the gate: what others commit after it goes out behind it. */
  #readsAtGate = 0

  constructor(line: CommitLine, audience: Audience, base: Base, size: BoardSize) {
    this.#line = line
    this.#audience = audience
    this.#base = base
    this.#size = size
  }

  /** Sends what this room committed. */
  send(updates: readonly Uint8Array[]): void {
    for (const update of merged(updates)) {
      this.#size.add(update.byteLength)
      const frame = encodeUpdate(update)
      this.#base.follow(frame)
      this.#audience.sendEdits(frame)
    }
  }

  /** Sends what others committed, and the bus brought. */
  sendBehindReads(updates: readonly Uint8Array[]): void {
    if (this.#readsAtGate === 0) this.send(updates)
    else this.#line.whenCommitted(() => this.send(updates))
  }

  /**
   * Sends what was read from the log.
   * @param fromSnapshot it was read from the document, which may hold more than the log
   */
  sendRead(updates: readonly Uint8Array[], fromSnapshot: boolean): void {
    if (!fromSnapshot && this.#readsAtGate === 0) {
      this.send(updates)
      return
    }
    this.#readsAtGate += 1
    this.#line.whenCommitted(() => {
      this.#readsAtGate -= 1
      this.send(updates)
    })
  }
}
