import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstBehind, sortedInSlices } from './sorted.ts'

test('a list sorted in slices is the list sorted, whatever it holds and however long', async () => {
  // Few different texts, so that many are the same, and many more than are sorted at once.
  const text = fc.string({ maxLength: 2 })
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 50 }), fc.integer({ min: 0, max: 200 }), async (texts, times) => {
      const list = Array.from({ length: times }, () => texts).flat()
      expect(await sortedInSlices(list)).toEqual([...list].sort())
    }),
    { numRuns: 60 },
  )
  const numbers = Array.from({ length: 30_000 }, (_, n) => String((n * 7_919) % 30_011))
  expect(await sortedInSlices(numbers)).toEqual([...numbers].sort())
})

test('the first behind a text is found as by looking at each', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 })), fc.string({ maxLength: 2 }), (texts, text) => {
      const sorted = [...texts].sort()
      const found = sorted.findIndex(other => other > text)
      expect(firstBehind(sorted, text)).toBe(found === -1 ? sorted.length : found)
    }),
  )
})
