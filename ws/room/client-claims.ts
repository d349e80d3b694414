/**
 * Client ids that somebody announces although they belong to somebody else: the owner is asked whether it lives, and who
 * announced it gets it when the owner does not answer.
 */
import { pause } from '../../core/base/pause.ts'
import type { OwnedState, Owner } from './presence-owner.ts'

/** The owner has this long to show that it lives … */
export const ownerAnswersWithinMs = 2_000
/** … and its instance a moment more to say so. */
const instanceAnswersWithinMs = ownerAnswersWithinMs + 500

export interface Claim {
  /** The newest it announced. */
  state: OwnedState
  claimant: Owner
  /** The owner's instance said that the owner lives. */
  held: boolean
}

export class ClientClaims {
  readonly #claims = new Map<number, Claim>()

  /**
   * @param ask whether the owner lives; not again while it is being asked
   * @param decided unless the claimant has left meanwhile
   */
  claim(
    state: OwnedState,
    claimant: Owner,
    ask: (claim: Claim) => Promise<boolean>,
    decided: (claim: Claim, ownerLives: boolean) => void,
  ): void {
    const pending = this.#claims.get(state.clientId)
    if (pending) {
      Object.assign(pending, { state, claimant })
      return
    }
    const claim: Claim = { state, claimant, held: false }
    this.#claims.set(state.clientId, claim)
    void ask(claim).then(ownerLives => {
      if (this.#claims.get(state.clientId) !== claim) return
      this.#claims.delete(state.clientId)
      decided(claim, ownerLives)
    })
  }

  /** The owner is on another instance, which says `held` if it lives. So often, at most, is it asked about one client. */
  async awaitInstance(claim: Claim): Promise<boolean> {
    await pause(instanceAnswersWithinMs)
    return claim.held
  }

  held(clientId: number): void {
    const claim = this.#claims.get(clientId)
    if (claim) claim.held = true
  }

  leave(claimant: Owner): void {
    for (const [clientId, claim] of this.#claims) {
      if (claim.claimant === claimant) this.#claims.delete(clientId)
    }
  }

  clear(): void {
    this.#claims.clear()
  }
}
