/**
 * A big board as committed bytes that any number of joiners share: its state, encoded once, and the frames of what was
 * committed since. Who joins with nothing gets those, then an empty step 2, which says that this was all. Nothing is
 * encoded for it, it waits for no commit, and edits do not spoil what is kept.
 */
import type { Replica } from '../../core/doc/replica.ts'
import { encodeSyncStep2, encodeUpdate } from '../protocol/frames.ts'
import type { CommitLine } from './commit-line.ts'

/** Smaller boards are encoded for each joiner, in one frame: that takes a millisecond. */
export const baseFromBytes = 64 * 1024
/** With more than this behind it a base is made anew for the next joiner. */
const tailAtMost = { frames: 500, share: 0.25 }

const emptyUpdate = Uint8Array.of(0, 0)
const nothingElse = encodeSyncStep2(emptyUpdate)

interface Made {
  state: Part[]
  stateBytes: number
  tail: Uint8Array[]
  tailBytes: number
  /** All it holds is committed. */
  committed: boolean
}

/** A part of the state: an update until the first joiner needs it, then the frame of it. */
interface Part {
  bytes: Uint8Array
  framed: boolean
}

export class Base {
  readonly #replica: Replica
  readonly #line: CommitLine
  #made: Made | undefined

  constructor(replica: Replica, line: CommitLine) {
    this.#replica = replica
    this.#line = line
  }

  /** This frame was sent to everybody: what it holds is committed. */
  follow(frame: Uint8Array): void {
    if (!this.#made) return
    this.#made.tail.push(frame)
    this.#made.tailBytes += frame.byteLength
  }

  /** Hands over the frames for one who has nothing, made as they are taken: now, or once what the base holds is committed. */
  give(send: (frames: Iterable<Uint8Array>) => void): void {
    const made = this.#current()
    const give = () => send(framesOf(made, [...made.tail, nothingElse]))
    if (made.committed) give()
    else this.#line.whenCommitted(give)
  }

  #current(): Made {
    if (this.#made && this.#made.tail.length <= tailAtMost.frames) {
      if (this.#made.tailBytes <= this.#made.stateBytes * tailAtMost.share) return this.#made
    }
    const state = this.#replica.encodeState().map(bytes => ({ bytes, framed: false }))
    const stateBytes = state.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    const made: Made = { state, stateBytes, tail: [], tailBytes: 0, committed: false }
    this.#made = made
    this.#line.whenCommitted(() => {
      made.committed = true
    })
    return made
  }
}

function* framesOf({ state }: Made, then: readonly Uint8Array[]): Iterable<Uint8Array> {
  for (const part of state) {
    if (!part.framed) {
      part.bytes = encodeUpdate(part.bytes)
      part.framed = true
    }
    yield part.bytes
  }
  yield* then
}
