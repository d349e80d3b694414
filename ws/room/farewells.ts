/** Clients that went, and under which clock: they are not seen again before they show a newer one. */
import { type AwarenessState, goneState } from '../protocol/awareness-codec.ts'

const rememberedAtMost = 1_000

export class Farewells {
  /** Clocks, oldest farewell first. */
  readonly #clocks = new Map<number, number>()

  remember({ clientId, clock }: AwarenessState): void {
    this.#clocks.set(clientId, clock)
    const [oldest] = this.#clocks.keys()
    if (this.#clocks.size > rememberedAtMost && oldest !== undefined) this.#clocks.delete(oldest)
  }

  /** It is back. */
  forget(clientId: number): void {
    this.#clocks.delete(clientId)
  }

  isOld({ clientId, clock }: AwarenessState): boolean {
    const last = this.#clocks.get(clientId)
    return last !== undefined && clock <= last
  }

  /** What tells a client that is taken to be gone which clock it has to be newer than. */
  after({ clientId, clock }: AwarenessState): AwarenessState {
    return goneState(clientId, Math.max(clock, this.#clocks.get(clientId) ?? clock))
  }
}
