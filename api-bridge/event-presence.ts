/** Who came to a board and who left, found by looking again and again: a cursor that moves is no news here. */
import type { KeptPeer } from '../core/contract/kept-presence.ts'
import { presenceFrame } from './event-frames.ts'

export class PresenceWatch {
  #known: ReadonlyMap<number, KeptPeer> | undefined

  /** @returns what is to be told; at first nothing: who listens asks who is there */
  look(now: ReadonlyMap<number, KeptPeer>): Buffer[] {
    const before = this.#known
    this.#known = now
    if (!before) return []
    const left = [...before.values()].filter(({ clientId }) => !now.has(clientId))
    const joined = [...now.values()].filter(({ clientId }) => !before.has(clientId))
    return [
      ...left.map(peer => presenceFrame('presence.left', peer)),
      ...joined.map(peer => presenceFrame('presence.joined', peer)),
    ]
  }
}
