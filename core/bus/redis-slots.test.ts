import { expect, test } from 'vitest'
import { readSlots, slotOf } from './redis-slots.ts'

test.each([
  // As CLUSTER KEYSLOT of Redis 7 says.
  ['', 0],
  ['123456789', 12_739],
  ['board:b1:sync', 447],
  ['board:ü:sync', 9_906],
  ['boardsync:kept:{presence:b1}:until', 968],
  ['boardsync:kept:{presence:b1}:values', 968],
  ['{}a', 10_875],
  ['a}{b', 11_640],
])('the slot of %s', (key, slot) => {
  expect(slotOf(key)).toBe(slot)
})

test('a cluster of which a slot belongs to nobody is not whole', () => {
  const entry = (from: number, to: number, host: unknown = 'h') => [from, to, [host, 1, 'id', []]]
  expect(readSlots([entry(8_192, 16_383, null), entry(0, 99), entry(100, 8_191, 'fe80::1')], 'asked:6379')).toEqual([
    { from: 0, to: 99, owner: 'h:1' },
    { from: 100, to: 8_191, owner: '[fe80::1]:1' },
    { from: 8_192, to: 16_383, owner: 'asked:1' },
  ])
  for (const answer of [
    [],
    [entry(0, 16_382)],
    [entry(1, 16_383)],
    [entry(0, 8_191), entry(8_193, 16_383)],
    'OK',
    [1],
  ]) {
    expect(readSlots(answer, 'asked:6379')).toBeUndefined()
  }
})
