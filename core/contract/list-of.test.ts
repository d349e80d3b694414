import { expect, test } from 'vitest'
import { z } from 'zod'
import { listOf } from './list-of.ts'

const ids = listOf(z.object({ id: z.string() }))

test('a list of 500,000 faults is refused with the first fifty of them, at once', () => {
  const hostile = [{ id: 'a' }, ...Array.from({ length: 500_000 }, () => 1)]
  const start = performance.now()
  const { error } = ids.safeParse(hostile)
  expect(performance.now() - start).toBeLessThan(300)
  expect(error?.issues.map(({ path }) => path[0])).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
})

test('a list as it should be comes out whole, and what is none is refused', () => {
  const good = Array.from({ length: 1_000 }, (_, n) => ({ id: `${n}` }))
  expect(ids.parse(good)).toEqual(good)
  for (const wrong of [{}, 'text', null, []]) expect(ids.safeParse(wrong).success).toBe(false)
})
