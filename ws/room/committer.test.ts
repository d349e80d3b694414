import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BoardId } from '../../core/contract/board-id.ts'
import { committing, elapse, failed, last } from '../../test/kit/committing.ts'
import type { HeldCommit } from '../../test/kit/held-log.ts'
import { releasing } from '../../test/kit/releasing.ts'

const use = releasing()
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const frameMs = 30
const ids = (...boards: { id: BoardId }[]) => boards.map(({ id }) => id)

describe('a group', () => {
  test('commits the first edit after silence at once, and what arrives meanwhile with the next, of all boards', async () => {
    const { log, board } = committing(use)
    const [one, two] = [board('one'), board('two')]
    one.edit()
    expect(log.commits).toHaveLength(1)
    one.edit()
    two.edit()
    two.edit()
    await elapse(5_000)
    expect(log.commits).toHaveLength(1)
    last(log).commit()
    await elapse(0)
    expect(last(log).boards).toEqual(['one', 'two'])
    last(log).commit()
    await elapse(0)
    expect([one.passedOn, two.passedOn]).toEqual([2, 2])
  })

  test('applies what was admitted in one go, when it takes the batch', async () => {
    const { log, board } = committing(use)
    const one = board('one')
    const applied: number[] = []
    const admit = (edit: number) =>
      one.line.admit(1, () => {
        applied.push(edit)
        one.edit()
      })
    admit(1)
    expect([applied, log.commits.length]).toEqual([[1], 1]) // the first after silence
    last(log).commit()
    await elapse(0)
    admit(2)
    await elapse(frameMs - 1)
    admit(3)
    expect(applied).toEqual([1])
    await elapse(1)
    expect([applied, log.commits.length]).toEqual([[1, 2, 3], 2])
    expect(last(log).boards).toEqual(['one'])
  })

  test('is not written where all that was admitted came to nothing', async () => {
    const { log, board } = committing(use)
    const [one, two] = [board('one'), board('two')]
    const refuse = vi.fn()
    one.line.admit(1, refuse)
    expect(refuse).toHaveBeenCalledOnce()
    one.line.admit(1, refuse)
    await elapse(frameMs)
    expect([refuse.mock.calls.length, log.commits.length]).toEqual([2, 0])
    one.line.admit(1, refuse)
    two.edit()
    await elapse(frameMs)
    expect(log.commits.map(({ boards }) => boards)).toEqual([['two']])
  })

  test('takes what stayed small though something big was admitted, which came to nothing', async () => {
    const { log, board } = committing(use)
    const [one, big] = [board('one'), board('big')]
    one.edit()
    last(log).commit()
    await elapse(0)
    big.edit(300 * 1024)
    const apart = last(log)
    one.edit()
    one.line.admit(300 * 1024, () => undefined)
    await elapse(2 * frameMs)
    expect(apart.boards).toEqual(['big'])
    apart.commit()
    await elapse(frameMs)
    expect(last(log).boards).toEqual(['one'])
  })

  test('takes a board at most once per frame', async () => {
    const { log, board } = committing(use)
    const one = board('one')
    one.edit()
    last(log).commit()
    await elapse(0)
    one.edit()
    await elapse(frameMs - 1)
    expect(log.commits).toHaveLength(1)
    await elapse(1)
    expect(log.commits).toHaveLength(2)
  })

  test('gathers the edits of many boards: a commit does not follow another at once', async () => {
    const { log, board } = committing(use)
    board('one').edit()
    last(log).commit()
    await elapse(0)
    board('two').edit()
    await elapse(frameMs - 1)
    board('three').edit()
    expect(log.commits).toHaveLength(1)
    await elapse(1)
    expect(last(log).boards).toEqual(['two', 'three'])
    last(log).commit()
    await elapse(frameMs)
    board('four').edit()
    expect(last(log).boards).toEqual(['four'])
  })

  test('keeps boards that are edited all the time in step, whenever they began', async () => {
    const { log, board } = committing(use)
    const [one, two] = [board('one'), board('two')]
    for (let ms = 0; ms < 20 * frameMs; ms++) {
      one.edit()
      if (ms > frameMs / 2) two.edit()
      await elapse(1)
      for (const { commit } of log.commits.splice(0)) commit()
    }
    await elapse(frameMs)
    for (const { passedOn } of [one, two]) expect(passedOn).toBeGreaterThanOrEqual(18)
  })

  test('goes on where the clock is set back', async () => {
    const { log, board } = committing(use)
    const one = board('one')
    one.edit()
    last(log).commit()
    await elapse(0)
    vi.setSystemTime(Date.now() - 3_600_000)
    one.edit()
    await elapse(frameMs)
    expect(log.commits).toHaveLength(2)
    last(log).fail(failed('busy'))
    await elapse(0)
    vi.setSystemTime(Date.now() - 3_600_000)
    await elapse(1_000)
    expect(log.commits).toHaveLength(3)
  })

  test('leaves a board whose row is locked for the next try; skipped twice, it is written alone', async () => {
    const { log, board } = committing(use)
    const [locked, other] = [board('locked'), board('other')]
    locked.edit()
    last(log).commit(ids(locked))
    await elapse(frameMs)
    other.edit()
    last(log).commit(ids(locked))
    await elapse(2 * frameMs)
    expect(log.commits.map(({ how }) => how)).toContain('appendWaiting')
    const alone = log.commits.find(({ how }) => how === 'appendWaiting') as HeldCommit
    expect(alone.boards).toEqual(['locked'])
    // While that waits for the row, the others go on.
    await elapse(100)
    for (const { how, commit } of log.commits) if (how === 'append') commit(ids(locked))
    await elapse(50)
    expect(other.passedOn).toBe(1)
    other.edit()
    await elapse(50)
    last(log).commit()
    await elapse(0)
    expect(other.passedOn).toBe(2)
    expect(locked.passedOn).toBe(0)
    alone.commit()
    await elapse(0)
    expect(locked.passedOn).toBe(1)
  })

  test('that the database refuses is split: only the board that is refused alone is given up', async () => {
    const { log, board } = committing(use)
    const [holding, bad, good] = [board('holding'), board('bad'), board('good')]
    holding.edit()
    bad.edit()
    good.edit()
    last(log).commit()
    await elapse(frameMs)
    expect(last(log).boards).toEqual(['bad', 'good'])
    last(log).fail(failed('refused'))
    await elapse(frameMs)
    const [first] = log.commits.filter(({ how }) => how === 'appendWaiting') as [HeldCommit]
    expect(first.boards).toEqual(['bad'])
    first.fail(failed('refused'))
    await elapse(0)
    last(log).commit()
    await elapse(0)
    expect(last(log).boards).toEqual(['good'])
    expect(bad.givenUp?.code).toBe('storage-unavailable')
    expect(good.givenUp).toBe(undefined)
    expect([bad.passedOn, good.passedOn, holding.passedOn]).toEqual([0, 1, 1])
  })

  test('that fails with something else than the database is refused all the same', async () => {
    const { log, board } = committing(use)
    const one = board('one')
    one.edit()
    last(log).fail(new TypeError('a fault of ours'))
    await elapse(frameMs)
    last(log).fail(new TypeError('again'))
    await elapse(0)
    expect(one.givenUp?.code).toBe('storage-unavailable')
  })

  test('with a board that cannot pass on what is committed passes on the others', async () => {
    const { log, board } = committing(use)
    const [holding, broken, good] = [board('holding'), board('broken'), board('good')]
    holding.edit()
    broken.edit()
    good.edit()
    broken.line.whenCommitted(() => {
      throw new Error('a fault of ours')
    })
    last(log).commit()
    await elapse(frameMs)
    last(log).commit()
    await elapse(0)
    expect(broken.givenUp?.code).toBe('storage-unavailable')
    expect([good.passedOn, good.givenUp]).toEqual([1, undefined])
  })

  test('with a board that was deleted gives up that one, as deleted', async () => {
    const { log, board } = committing(use)
    const deleted = board('deleted')
    deleted.edit()
    for (let round = 0; round < 3; round++) {
      last(log).commit(ids(deleted))
      await elapse(100)
    }
    expect(deleted.givenUp?.code).toBe('board-deleted')
  })
})

describe('a big batch', () => {
  test('does not go along with others', () => {
    const { log, board } = committing(use)
    board('big').edit(300 * 1024)
    expect(last(log)).toMatchObject({ how: 'append', boards: ['big'] })
    board('small').edit()
    expect(last(log)).toMatchObject({ how: 'append', boards: ['small'] })
  })

  test('waits for its row only where that is locked', async () => {
    const { log, board } = committing(use)
    const big = board('big')
    big.edit(300 * 1024)
    last(log).commit(ids(big))
    await elapse(frameMs)
    expect(last(log)).toMatchObject({ how: 'appendWaiting', boards: ['big'] })
    last(log).commit()
    await elapse(0)
    expect(big.passedOn).toBe(1)
  })
})

test('a committer that has stopped leaves no timer', async () => {
  const { committer, monitor, board } = committing(use)
  board('one').edit()
  committer.stop()
  monitor.stop()
  expect(vi.getTimerCount()).toBe(0)
})
