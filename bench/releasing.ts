/** What a run started, ended in the opposite order. */
import { temporaryFolder } from '../test/kit/temporary-folder.ts'

export class Releasing {
  readonly #ends: (() => unknown)[] = []

  add(end: () => unknown): void {
    this.#ends.push(end)
  }

  /** @returns the path of a folder that goes with the rest */
  folder(): string {
    const folder = temporaryFolder()
    this.add(() => folder.stop())
    return folder.path
  }

  async release(): Promise<void> {
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end()
  }
}
