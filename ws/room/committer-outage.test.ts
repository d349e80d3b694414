/** The committer while the database does not answer: what it asks again, and what it gives up. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { committing, elapse, failed, last, MiB } from '../../test/kit/committing.ts'
import type { HeldCommit } from '../../test/kit/held-log.ts'
import { releasing } from '../../test/kit/releasing.ts'

const use = releasing()
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const frameMs = 30

describe('a commit whose outcome is unknown', () => {
  test('is asked for again under the same batch id, with the same rows, until it is answered', async () => {
    const { log, monitor, board } = committing(use)
    const one = board('one')
    one.edit()
    const [first] = log.commits as [HeldCommit]
    first.fail(failed('unavailable'))
    await elapse(0)
    expect(monitor.state).toBe('down')
    one.edit()
    await elapse(frameMs)
    expect(last(log).how).toBe('appendAgain')
    last(log).fail(failed('unavailable'))
    await elapse(50)
    last(log).fail(failed('busy'))
    await elapse(100)
    expect(log.commits.map(({ how }) => how)).toEqual(['append', 'appendAgain', 'appendAgain', 'appendAgain'])
    for (const { batchId, batches } of log.commits)
      expect({ batchId, batches }).toEqual({ batchId: first.batchId, batches: first.batches })
    last(log).commit()
    await elapse(0)
    expect([one.passedOn, monitor.state]).toEqual([1, 'up'])
    await elapse(frameMs)
    expect(last(log).how).toBe('append')
    expect(last(log).batchId).not.toBe(first.batchId)
    last(log).commit()
    await elapse(0)
    expect(one.passedOn).toBe(2)
  })

  test('is tried again more and more slowly, and at least every second', async () => {
    const { log, board } = committing(use)
    board('one').edit()
    for (let round = 0; round < 20; round++) {
      last(log).fail(failed('unavailable'))
      await elapse(1_000)
    }
    expect(log.commits.length).toBeGreaterThan(15)
    expect(log.commits.length).toBeLessThanOrEqual(21)
  })

  test('keeps nobody else, and is not tried sooner when somebody else is', async () => {
    const { log, board } = committing(use)
    const [uncertain, big] = [board('uncertain'), board('big')]
    uncertain.edit()
    for (let tries = 0; tries < 5; tries++) {
      last(log).fail(failed('unavailable'))
      await elapse(1_000)
    }
    last(log).fail(failed('unavailable'))
    await elapse(0)
    const before = log.commits.length
    const asked = () => log.commits.slice(before).map(({ boards }) => boards)
    big.edit(300 * 1024)
    await elapse(0)
    expect(asked()).toEqual([['big']])
    last(log).fail(failed('unavailable'))
    await elapse(30)
    expect(asked()).toEqual([['big'], ['big']])
    last(log).commit()
    await elapse(1_000)
    expect(asked()).toEqual([['big'], ['big'], ['uncertain']])
  })

  test('is given up after 30 s, and what waited on it never leaves', async () => {
    const { log, board } = committing(use)
    const one = board('one')
    const answer = vi.fn()
    one.edit()
    one.line.whenCommitted(answer)
    last(log).fail(failed('unavailable'))
    await elapse(29_000)
    expect(one.givenUp).toBe(undefined)
    await elapse(3_000)
    expect(one.givenUp?.code).toBe('storage-unavailable')
    last(log).commit()
    await elapse(0)
    expect(one.passedOn).toBe(0)
    expect(answer).not.toHaveBeenCalled()
  })
})

test('what is admitted while the database hangs is looked at within a second', async () => {
  const { board } = committing(use)
  const one = board('one')
  one.edit()
  const refuse = vi.fn()
  one.line.admit(1, refuse)
  await elapse(500)
  expect(refuse).not.toHaveBeenCalled()
  await elapse(500)
  expect(refuse).toHaveBeenCalledOnce()
})

describe('what waits for storage is bounded', () => {
  test('per board, once storage does not answer; passing edits are not counted', async () => {
    const { board } = committing(use, { board: 1_000, total: MiB })
    const [big, small] = [board('big'), board('small')]
    big.edit(5_000)
    small.edit(10)
    await elapse(500)
    expect(big.givenUp).toBe(undefined)
    await elapse(1_500)
    expect(big.givenUp?.code).toBe('storage-unavailable')
    expect(small.givenUp).toBe(undefined)
  })

  test('per board also while a turn holds its edits', async () => {
    const { board } = committing(use, { board: 1_000, total: MiB })
    const one = board('one')
    void one.line.turn(() => new Promise(() => {}))
    await elapse(0)
    one.line.admit(5_000, () => undefined)
    await elapse(2_500)
    expect(one.givenUp?.code).toBe('storage-unavailable')
  })

  test('in all, by giving up only as many boards as it takes', async () => {
    const { board } = committing(use, { board: MiB, total: 10_000 })
    const boards = [3_000, 3_000, 9_000, 3_000].map((bytes, at) => {
      const one = board(`board-${at}`)
      one.edit(bytes)
      return one
    })
    await elapse(2_500)
    expect(boards.map(({ givenUp }) => givenUp?.code)).toEqual([undefined, undefined, 'storage-unavailable', undefined])
  })
})
