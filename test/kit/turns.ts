import { vi } from 'vitest'
import { slices } from '../../core/base/slices.ts'

/**
 * By a clock that goes on by a millisecond whenever it is looked at, and only then: the machine's speed decides nothing. A
 * slice lasts some five looks by it.
 * @returns how often this work left the others their turn
 */
export async function turnsIn(work: () => Promise<unknown>): Promise<number> {
  const clock = performance.now
  let now = performance.now()
  performance.now = () => {
    now += 1
    return now
  }
  const left = vi.spyOn(slices, 'next')
  try {
    await work()
    // Nobody goes on in a slice that ends by this clock.
    await new Promise(resolve => setImmediate(resolve))
    return left.mock.calls.length
  } finally {
    left.mockRestore()
    performance.now = clock
  }
}
