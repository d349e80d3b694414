import { describe, expect, test } from 'vitest'
import { SyncError } from '../../core/base/errors.ts'
import { alice, bob, playedLine, textOf, typed } from '../../test/kit/played-line.ts'

describe('the gate', () => {
  test('is open while nothing waits', () => {
    const { left, answer } = playedLine()
    answer('answer')
    expect(left).toEqual(['answer'])
  })

  test('lets nothing out before the commit, and afterwards the batch first', () => {
    const { line: own, left, answer, commit } = playedLine()
    own.enqueue(typed('a'), alice)
    answer('answer')
    expect(left).toEqual([])
    commit()
    expect(left).toEqual(['broadcast a', 'answer'])
  })

  test('opens for each answer when all that stood before it is committed, and not for what came later', () => {
    const { line: own, left, answer, commit } = playedLine()
    own.enqueue(typed('a'), alice)
    answer('after a')
    own.take()
    own.enqueue(typed('b'), alice)
    answer('after b')
    commit()
    expect(left).toEqual(['broadcast a', 'after a'])
    commit()
    expect(left).toEqual(['broadcast a', 'after a', 'broadcast b', 'after b'])
  })

  test('stays shut for good when the edits before it are given up', () => {
    const { line: own, left, answer, owner } = playedLine()
    own.enqueue(typed('a'), alice)
    answer('answer')
    own.giveUp(new SyncError('storage-unavailable', 'too long'))
    own.settle({ epoch: 1, firstSeq: 1, lastSeq: 1 })
    answer('later answer')
    expect(owner.onGivenUp).toHaveBeenCalledOnce()
    expect(left).toEqual([])
    own.giveUp(new SyncError('storage-unavailable', 'once more'))
    expect(owner.onGivenUp).toHaveBeenCalledOnce()
  })
})

describe('a batch', () => {
  test('has one row per run of one author', () => {
    const { line: own } = playedLine()
    for (const [text, actor] of [
      ['a', alice],
      ['b', alice],
      ['c', bob],
      ['d', alice],
    ] as const) {
      own.enqueue(typed(text), actor)
    }
    const { entries } = own.take()
    expect(entries.map(({ actor }) => actor)).toEqual([alice, bob, alice])
    expect(entries.map(({ data }) => [...textOf(data)].sort().join(''))).toEqual(['ab', 'c', 'd'])
  })

  test('stays the same until it is settled', () => {
    const { line: own } = playedLine()
    own.enqueue(typed('a'), alice)
    const taken = own.take()
    own.enqueue(typed('b'), alice)
    expect(own.take()).toBe(taken)
  })

  test('is bounded in updates and in bytes, and in flight keeps no later edit waiting for ever', () => {
    const { line: own, commit } = playedLine()
    for (let edit = 0; edit < 250; edit++) own.enqueue(typed('x'), alice)
    expect(own.take().last).toBe(200)
    commit()
    expect(own.take().last).toBe(250)
    commit()
    for (let edit = 0; edit < 3; edit++) own.enqueue(typed('x'.repeat(3 * 1024 * 1024)), alice)
    expect(own.take().last).toBe(251)
    expect(own.take().mode).toBe('alone')
  })

  test('is counted until it is settled', () => {
    const { line: own, commit } = playedLine()
    const update = typed('a')
    own.enqueue(update, alice)
    expect(own.bytes).toBe(update.byteLength)
    own.take()
    expect(own.bytes).toBe(update.byteLength)
    expect(own.waitingSince).toBeDefined()
    commit()
    expect(own.bytes).toBe(0)
    expect(own.waitingSince).toBe(undefined)
  })

  test('that Yjs cannot merge is written and passed on as it came', () => {
    const { line: own, owner, commit } = playedLine()
    const odd = Uint8Array.of(1, 2, 3)
    own.enqueue(odd, alice)
    own.enqueue(odd, alice)
    expect(own.take().entries.map(({ data }) => data)).toEqual([odd, odd])
    owner.onCommitted.mockImplementation(() => undefined)
    commit()
    expect(owner.onCommitted.mock.lastCall?.[1]).toEqual([odd, odd])
  })

  test('that is small goes along with others, a big one alone', () => {
    const { line: own } = playedLine()
    expect(own.nextMode).toBe(undefined)
    own.enqueue(typed('a'), alice)
    expect(own.nextMode).toBe('together')
    own.enqueue(typed('x'.repeat(256 * 1024)), alice)
    expect(own.nextMode).toBe('alone')
  })
})

test('what is kept for the gate counts while it waits', () => {
  const { line: own, answer, commit } = playedLine()
  const update = typed('a')
  own.enqueue(update, alice)
  answer('echo', 5_000)
  expect(own.bytes).toBe(update.byteLength + 5_000)
  commit()
  expect(own.bytes).toBe(0)
})
