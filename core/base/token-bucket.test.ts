import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

const taken = (bucket: TokenBucket, tries: number, now: number) =>
  Array.from({ length: tries }, () => bucket.take(now)).filter(Boolean).length

test('after a quiet time a burst goes at once, and then as many as the rate says', () => {
  const bucket = new TokenBucket({ perSecond: 100, burst: 1_000 }, 0)
  expect(taken(bucket, 2_000, 0)).toBe(1_000)
  expect(taken(bucket, 2_000, 1_000)).toBe(100)
  expect(taken(bucket, 2_000, 1_500)).toBe(50)
  expect(taken(bucket, 2_000, 1_000_000)).toBe(1_000)
})

test('what is refused costs nothing, and it tells how long to wait', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 0)
  expect([bucket.take(0), bucket.take(50), bucket.take(60)]).toEqual([true, false, false])
  expect(bucket.msUntil(1, 60)).toBeCloseTo(40)
  expect([bucket.take(101), bucket.msUntil(0, 101)]).toEqual([true, 0])
})

test('what happened all the same is owed, a second of it at most', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 20 }, 0)
  for (let n = 0; n < 25; n++) bucket.spend(0)
  expect(bucket.left(0)).toBe(-5)
  for (let n = 0; n < 25; n++) bucket.spend(0)
  expect([bucket.left(0), bucket.take(1_000), bucket.take(1_100)]).toEqual([-10, false, true])
})
