/**
 * Peers whose sockets take less than the room sends. Such a peer gets no more frames; when it has drained, it gets one
 * update with all it lacks. Its memory is bounded, nothing is lost, and nobody else waits.
 *
 *   up to date ── too much waits ──► falling behind ── all the document then held was passed on ──► behind
 *        ▲                                                                                             │
 *        └───────────── drained: one update with what came after that moment ──────────────────────────┘
 *
 * While it falls behind it still gets every frame, so it has in full what the state vector of that moment names.
 */
import { SyncError } from '../../core/base/errors.ts'
import { encodeUpdate } from '../protocol/frames.ts'
import type { Peer } from './peer.ts'

/** A peer with this much waiting falls behind. */
const behindOverBytes = 4 * 1024 * 1024
/** It has drained when this much is left. */
const drainedBytes = 256 * 1024
const lookEveryMs = 100
/** Who takes no byte for this long is sent away, to come back for the rest. */
const hopelessAfterMs = 30_000

export interface SlowPeersOwner {
  /** What the document holds now, uncommitted edits included. */
  stateVector(): Uint8Array
  /** What it holds now that one with this state vector lacks (V1). */
  missing(stateVector: Uint8Array): Uint8Array
  /** Runs `then` once everything in the document now is committed and passed on. */
  whenCommitted(then: () => void): void
  send(frame: Uint8Array, peer: Peer): void
  close(peer: Peer, error: SyncError): void
  /** Frames wait for {@link onCaughtUp}: before the update with what the peer lacks, their deletions would do harm. */
  hold(peer: Peer): void
  /** It is up to date again but for awareness. */
  onCaughtUp(peer: Peer): void
}

interface Lag {
  /** What it has in full. */
  stateVector: Uint8Array
  behind: boolean
  /** The least that waited so far, and since when. */
  waiting: number
  since: number
}

export class SlowPeers {
  readonly #owner: SlowPeersOwner
  readonly #lags = new Map<Peer, Lag>()
  #timer: NodeJS.Timeout | undefined

  constructor(owner: SlowPeersOwner) {
    this.#owner = owner
  }

  /** Asked before each document frame. @returns whether the peer goes without it, and gets its content later */
  goesWithout(peer: Peer): boolean {
    const lag = this.#lags.get(peer)
    if (lag) return lag.behind
    if (peer.socket.bufferedAmount > behindOverBytes) this.#fallBehind(peer)
    return false
  }

  forget(peer: Peer): void {
    this.#lags.delete(peer)
    if (this.#lags.size === 0) this.close()
  }

  close(): void {
    this.#lags.clear()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #fallBehind(peer: Peer): void {
    const stateVector = this.#owner.stateVector()
    const lag: Lag = { stateVector, behind: false, waiting: peer.socket.bufferedAmount, since: performance.now() }
    this.#lags.set(peer, lag)
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs)
    // Not before what is being passed on right now, perhaps as several frames, has been.
    setImmediate(() =>
      this.#owner.whenCommitted(() => {
        lag.behind = true
      }),
    )
  }

  #look(): void {
    const updates = new Map<string, Uint8Array>()
    for (const [peer, lag] of this.#lags) {
      const { bufferedAmount } = peer.socket
      if (bufferedAmount < lag.waiting || bufferedAmount <= drainedBytes) {
        lag.waiting = bufferedAmount
        lag.since = performance.now()
      }
      if (lag.behind && bufferedAmount <= drainedBytes) this.#catchUp(peer, lag, updates)
      else if (performance.now() - lag.since > hopelessAfterMs) {
        this.forget(peer)
        this.#owner.close(peer, new SyncError('too-slow', 'the connection takes nothing; connect again'))
      }
    }
  }

  /** @param updates made in this look already: many who fell behind together lack the same */
  #catchUp(peer: Peer, { stateVector }: Lag, updates: Map<string, Uint8Array>): void {
    // From here on frames are for it again: what is applied after this moment is not in the update.
    this.forget(peer)
    this.#owner.hold(peer)
    const key = Buffer.from(stateVector).toString('latin1')
    const frame = updates.get(key) ?? encodeUpdate(this.#owner.missing(stateVector))
    updates.set(key, frame)
    this.#owner.whenCommitted(() => {
      this.#owner.send(frame, peer)
      this.#owner.onCaughtUp(peer)
    })
  }
}
