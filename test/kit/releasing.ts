/** Clean-up of what a test started: last in, first out, also when the test failed half-way. */

import { afterEach } from 'vitest'

export interface Stoppable {
  stop(): unknown
}

export interface Use {
  <T extends Stoppable>(resource: T): T
  <T>(resource: T, release: (resource: T) => unknown): T
}

/**
 * `const use = releasing()` at the top of a test file, then `const bob = use(connectStock(…))` anywhere in it.
 *
 * @param when the hook after which everything in use is released, `afterAll` for what a whole file shares
 */
export function releasing(when: (release: () => Promise<void>) => void = afterEach): Use {
  const releases: (() => unknown)[] = []
  when(() => releaseAll(releases))
  return <T>(resource: T, release: (resource: T) => unknown = given => (given as Stoppable).stop()): T => {
    releases.push(() => release(resource))
    return resource
  }
}

/** One release that fails keeps none of the others from running. */
async function releaseAll(releases: (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (let release = releases.pop(); release; release = releases.pop()) {
    try {
      await release()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} things could not be released`)
}
