/** The awareness clients of a board: the newest state of each, and whose it is. */
import { isOurs, type OwnedState, type Owner, theServer } from './presence-owner.ts'

export interface Known {
  state: OwnedState
  owner: Owner
}

export class KnownClients {
  readonly #known = new Map<number, Known>()
  #revision = 0

  /** Another number whenever what came through this instance has changed. */
  get revision(): number {
    return this.#revision
  }

  get size(): number {
    return this.#known.size
  }

  get hasOthers(): boolean {
    for (const { owner } of this.#known.values()) if (!isOurs(owner) && owner !== theServer) return true
    return false
  }

  get(clientId: number): Known | undefined {
    return this.#known.get(clientId)
  }

  set(known: Known): void {
    this.#touch(known.state.clientId)
    this.#known.set(known.state.clientId, known)
    this.#touch(known.state.clientId)
  }

  delete(clientId: number): void {
    this.#touch(clientId)
    this.#known.delete(clientId)
  }

  states(): OwnedState[] {
    return [...this.#known.values()].map(({ state }) => state)
  }

  of(given: Owner): OwnedState[] {
    return [...this.#known.values()].flatMap(({ state, owner }) => (owner === given ? [state] : []))
  }

  /** Who came through this instance. */
  ours(): OwnedState[] {
    return [...this.#known.values()].flatMap(({ state, owner }) => (isOurs(owner) ? [state] : []))
  }

  #touch(clientId: number): void {
    const known = this.#known.get(clientId)
    if (known && isOurs(known.owner)) this.#revision++
  }
}
