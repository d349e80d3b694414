/** Long work in slices: whatever else the process has to do is done in between. */

const sliceMs = 8

export class Slices {
  #ends = performance.now() + sliceMs

  get isOver(): boolean {
    return performance.now() >= this.#ends
  }

  /** Resolves when the others have had their turn. */
  async next(): Promise<void> {
    await new Promise(setImmediate)
    this.#ends = performance.now() + sliceMs
  }
}
