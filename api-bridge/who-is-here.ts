/** Who is on a board, across all instances: those of this one as they are now, those of the others as they keep them. */
import type { Bus } from '../core/bus/bus.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { presenceGroup } from '../core/contract/channels.ts'
import { decodeKeptPresence, type KeptPeer } from '../core/contract/kept-presence.ts'
import type { PresentPeer } from '../core/contract/present-peer.ts'

interface Here {
  peers: PresentPeer[]
  /** Only of this instance: the others could not be asked. */
  partial?: true
}

export class WhoIsHere {
  readonly #bus: Pick<Bus, 'kept'>
  readonly #instance: string
  readonly #own: (board: BoardId) => KeptPeer[]

  constructor(bus: Pick<Bus, 'kept'>, instance: string, own: (board: BoardId) => KeptPeer[]) {
    this.#bus = bus
    this.#instance = instance
    this.#own = own
  }

  /** Never fails, and waits for the bus no longer than it takes to say that it cannot tell. */
  async on(board: BoardId): Promise<Here> {
    const { clients, isPartial } = await this.clientsOn(board)
    const sorted = [...clients.values()].sort((a, b) => a.clientId - b.clientId)
    const peers = sorted.map(({ clientId: _, clock: __, ...peer }) => peer)
    return isPartial ? { peers, partial: true } : { peers }
  }

  /** By client id. `isPartial`: the others could not be asked. */
  async clientsOn(board: BoardId): Promise<{ clients: ReadonlyMap<number, KeptPeer>; isPartial: boolean }> {
    const kept = await this.#bus.kept(presenceGroup(board))
    const newest = new Map<number, KeptPeer>()
    // Who has just moved from one instance to another may still be kept by both.
    const take = (peer: KeptPeer) => {
      const known = newest.get(peer.clientId)
      if (!known || known.clock <= peer.clock) newest.set(peer.clientId, peer)
    }
    for (const [instance, text] of kept ?? []) {
      if (instance !== this.#instance) decodeKeptPresence(text)?.forEach(take)
    }
    this.#own(board).forEach(take)
    return { clients: newest, isPartial: kept === undefined }
  }
}
