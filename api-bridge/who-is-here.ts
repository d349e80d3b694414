/** Who is on a board, across all instances: those of this one as they are now, those of the others as they keep them. */
import type { Bus } from '../core/bus/bus.ts'
import { agentsAtMost, decodeSighting, keptPeerOf } from '../core/contract/agent-sighting.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { agentsGroup, presenceGroup } from '../core/contract/channels.ts'
import { decodeKeptPresence, type KeptPeer } from '../core/contract/kept-presence.ts'
import type { PresentPeer } from '../core/contract/present-peer.ts'

/** Who has a board open here. */
export interface Local {
  /** Through this instance. */
  here(board: BoardId): KeptPeer[]
  /** Through any, as is known here: nobody whom a client of this instance sees is missing. */
  seen(board: BoardId): KeptPeer[]
}

interface Here {
  peers: PresentPeer[]
  /** Only of this instance: the others could not be asked. */
  partial?: true
}

export class WhoIsHere {
  readonly #bus: Pick<Bus, 'kept'>
  readonly #instance: string
  readonly #local: Local

  constructor(bus: Pick<Bus, 'kept'>, instance: string, local: Local) {
    this.#bus = bus
    this.#instance = instance
    this.#local = local
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
    const [kept, agents] = await Promise.all([this.#bus.kept(presenceGroup(board)), this.#bus.kept(agentsGroup(board))])
    const newest = new Map<number, KeptPeer>()
    // Who has just moved from one instance to another may still be kept by both.
    const take = (peer: KeptPeer) => {
      const known = newest.get(peer.clientId)
      if (!known || known.clock <= peer.clock) newest.set(peer.clientId, peer)
    }
    for (const [instance, text] of kept ?? []) {
      if (instance !== this.#instance) decodeKeptPresence(text)?.forEach(take)
    }
    // Also where nobody has the board open.
    for (const text of [...(agents?.values() ?? [])].slice(0, agentsAtMost)) {
      const sighting = decodeSighting(text)
      if (sighting) take(keptPeerOf(sighting))
    }
    // What was heard before the bus was lost may have changed since.
    const local = kept === undefined ? this.#local.here(board) : this.#local.seen(board)
    local.forEach(take)
    return { clients: newest, isPartial: kept === undefined || agents === undefined }
  }
}
