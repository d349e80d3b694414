/** The awareness clients of a board: the newest state of each, and whose it is. */
import { isOurs, type OwnedState, type Owner, theServer } from './presence-owner.ts'

export interface Known {
  state: OwnedState
  owner: Owner
}

export class KnownClients {
  readonly #known = new Map<number, Known>()
  readonly #counts = new Map<Owner, number>()
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
    const before = this.#known.get(known.state.clientId)
    this.#known.set(known.state.clientId, known)
    if (before?.owner !== known.owner) {
      if (before) this.#count(before.owner, -1)
      this.#count(known.owner, 1)
    }
    if ((before && isOurs(before.owner)) || isOurs(known.owner)) this.#revision++
  }

  delete(clientId: number): void {
    const known = this.#known.get(clientId)
    if (!known) return
    this.#known.delete(clientId)
    this.#count(known.owner, -1)
    if (isOurs(known.owner)) this.#revision++
  }

  states(): OwnedState[] {
    return [...this.#known.values()].map(({ state }) => state)
  }

  of(given: Owner): OwnedState[] {
    return [...this.#known.values()].flatMap(({ state, owner }) => (owner === given ? [state] : []))
  }

  countOf(owner: Owner): number {
    return this.#counts.get(owner) ?? 0
  }

  /** All but those that the server shows. */
  people(): OwnedState[] {
    return [...this.#known.values()].flatMap(({ state, owner }) => (owner === theServer ? [] : [state]))
  }

  /** Who came through this instance. */
  ours(): OwnedState[] {
    return [...this.#known.values()].flatMap(({ state, owner }) => (isOurs(owner) ? [state] : []))
  }

  #count(owner: Owner, more: number): void {
    const count = this.countOf(owner) + more
    if (count === 0) this.#counts.delete(owner)
    else this.#counts.set(owner, count)
  }
}
