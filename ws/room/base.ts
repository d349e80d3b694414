/**
 * A big board as committed bytes that any number of joiners share: its state, encoded once, and the frames of what was
 * committed since. Who joins with nothing gets those, then an empty step 2, which says that this was all. Nothing is
 * encoded for it, it waits for no commit, and edits do not spoil what is kept.
 */
import { emptyUpdate } from '../../core/base/empty-update.ts'
import type { Replica } from '../../core/doc/replica.ts'
import { encodeSyncStep2, encodeUpdate } from '../protocol/frames.ts'
import type { BoardSize } from './board-size.ts'
import type { CommitLine } from './commit-line.ts'

/** Smaller boards are encoded for each joiner, in one frame: that takes a millisecond. */
export const baseFromBytes = 64 * 1024
/** What is bigger is encoded in slices between which other boards get their turn, while its edits wait. */
const slicedFromBytes = 512 * 1024
/** With more than this behind it a base is let go, and made anew for the next joiner. */
const tailAtMost = { frames: 500, share: 0.25 }

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

/** Runs work while the replica stays as the log has it. */
type Still = <T>(work: () => Promise<T>) => Promise<T>

export class Base {
  readonly #replica: Replica
  readonly #line: CommitLine
  readonly #size: Pick<BoardSize, 'bytes'>
  readonly #still: Still
  #made: Made | undefined
  #making: Promise<Made> | undefined

  constructor(replica: Replica, line: CommitLine, size: Pick<BoardSize, 'bytes'>, still: Still) {
    this.#replica = replica
    this.#line = line
    this.#size = size
    this.#still = still
  }

  /** This frame was sent to everybody: what it holds is committed. */
  follow(frame: Uint8Array): void {
    const made = this.#made
    if (!made) return
    made.tail.push(frame)
    made.tailBytes += frame.byteLength
    // Nobody joins for hours, perhaps, while the board is drawn on: what would be made anew is not kept until then.
    if (!hasShortTail(made)) this.#made = undefined
  }

  /** Hands over the frames for one who has nothing, made as they are taken: now, or once what the base holds is committed. */
  give(send: (frames: Iterable<Uint8Array>) => void): void {
    const give = (made: Made) => send(framesOf(made, [...made.tail, nothingElse]))
    const made = this.#made ?? this.#makeAtOnce()
    if (!made) {
      this.#makeInSlices().then(give, () => undefined) // the room was closed: nobody waits any more
    } else if (made.committed) {
      give(made)
    } else {
      this.#line.whenCommitted(() => give(made))
    }
  }

  /** @returns undefined where that would take long */
  #makeAtOnce(): Made | undefined {
    if (this.#size.bytes >= slicedFromBytes && !this.#replica.rests) return undefined
    const made = madeOf(this.#replica.encodeState(), false)
    this.#made = made
    this.#line.whenCommitted(() => {
      made.committed = true
    })
    return made
  }

  /** Whoever comes meanwhile gets the same. @throws Error when the room is closed before */
  #makeInSlices(): Promise<Made> {
    this.#making ??= this.#still(async () => {
      this.#made = madeOf(await this.#replica.cutState(), true)
      return this.#made
    }).finally(() => {
      this.#making = undefined
    })
    return this.#making
  }
}

const hasShortTail = ({ tail, tailBytes, stateBytes }: Made): boolean =>
  tail.length <= tailAtMost.frames && tailBytes <= stateBytes * tailAtMost.share

function madeOf(updates: readonly Uint8Array[], committed: boolean): Made {
  const state = updates.map(bytes => ({ bytes, framed: false }))
  const stateBytes = updates.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return { state, stateBytes, tail: [], tailBytes: 0, committed }
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
