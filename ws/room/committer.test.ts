import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { StorageError, type StorageFailure, type SyncError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { type HeldCommit, HeldLog } from '../../test/kit/held-log.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { CommitLine } from './commit-line.ts'
import { Committer } from './committer.ts'

const use = releasing()
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const failed = (failure: StorageFailure) => new StorageError(failure, failure)
const MiB = 1024 * 1024

function setUp(limits = { board: 8 * MiB, total: 256 * MiB }) {
  const log = new HeldLog()
  const silent = createLogger('silent')
  const monitor = use(new StorageMonitor({ ping: () => new Promise(() => {}) }, silent))
  const committer = use(new Committer(log, monitor, silent, createMetrics(), limits))
  return { log, monitor, committer, board: (name: string) => openBoard(committer, name) }
}

/** A board with the real commit line: what was passed on, and why it was given up. */
function openBoard(committer: Committer, name: string) {
  const id = parseBoardId(name)
  const own = { id, passedOn: 0, seqs: [] as number[], givenUp: undefined as SyncError | undefined }
  const line: CommitLine = new CommitLine(
    id,
    {
      known: () => 0,
      onCommitted: ({ lastSeq }, updates) => {
        own.passedOn += updates.reduce((sum, update) => sum + Y.decodeUpdate(update).structs.length, 0)
        own.seqs.push(lastSeq)
      },
      onGivenUp: error => {
        own.givenUp = error
        line.close()
        committer.forget(line)
      },
    },
    woken => committer.wake(woken),
  )
  const edit = (bytes = 1) => line.enqueue(updateOf(bytes), 'human:test')
  return Object.assign(own, { line, edit })
}

let clients = 0
function updateOf(bytes: number): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = ++clients
  doc.getText('t').insert(0, 'x'.repeat(bytes))
  return Y.encodeStateAsUpdate(doc)
}

const frameMs = 30
const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const last = (log: HeldLog): HeldCommit => log.commits.at(-1) as HeldCommit
const ids = (...boards: { id: BoardId }[]) => boards.map(({ id }) => id)

describe('a group', () => {
  test('commits the first edit after silence at once, and what arrives meanwhile with the next, of all boards', async () => {
    const { log, board } = setUp()
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

  test('takes a board at most once per frame', async () => {
    const { log, board } = setUp()
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
    const { log, board } = setUp()
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
    const { log, board } = setUp()
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
    const { log, board } = setUp()
    const one = board('one')
    one.edit()
    last(log).commit()
    await elapse(0)
    vi.setSystemTime(Date.now() - 3_600_000)
    one.edit()
    await elapse(frameMs)
    expect(log.commits).toHaveLength(2)
  })

  test('leaves a board whose row is locked for the next try; skipped twice, it is written alone', async () => {
    const { log, board } = setUp()
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
    const { log, board } = setUp()
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
    const { log, board } = setUp()
    const one = board('one')
    one.edit()
    last(log).fail(new TypeError('a fault of ours'))
    await elapse(frameMs)
    last(log).fail(new TypeError('again'))
    await elapse(0)
    expect(one.givenUp?.code).toBe('storage-unavailable')
  })

  test('with a board that cannot pass on what is committed passes on the others', async () => {
    const { log, board } = setUp()
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
    const { log, board } = setUp()
    const deleted = board('deleted')
    deleted.edit()
    for (let round = 0; round < 3; round++) {
      last(log).commit(ids(deleted))
      await elapse(100)
    }
    expect(deleted.givenUp?.code).toBe('board-deleted')
  })
})

describe('a commit whose outcome is unknown', () => {
  test('is asked for again under the same batch id, with the same rows, until it is answered', async () => {
    const { log, monitor, board } = setUp()
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
    const { log, board } = setUp()
    board('one').edit()
    for (let round = 0; round < 20; round++) {
      last(log).fail(failed('unavailable'))
      await elapse(1_000)
    }
    expect(log.commits.length).toBeGreaterThan(15)
    expect(log.commits.length).toBeLessThanOrEqual(21)
  })

  test('keeps nobody else, and is not tried sooner when somebody else is', async () => {
    const { log, board } = setUp()
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
    const { log, board } = setUp()
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

describe('what waits for storage is bounded', () => {
  test('per board, once storage does not answer; passing edits are not counted', async () => {
    const { board } = setUp({ board: 1_000, total: MiB })
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
    const { board } = setUp({ board: 1_000, total: MiB })
    const one = board('one')
    void one.line.turn(() => new Promise(() => {}))
    await elapse(0)
    one.line.admit(5_000, () => undefined)
    await elapse(2_500)
    expect(one.givenUp?.code).toBe('storage-unavailable')
  })

  test('in all, by giving up only as many boards as it takes', async () => {
    const { board } = setUp({ board: MiB, total: 10_000 })
    const boards = [3_000, 3_000, 9_000, 3_000].map((bytes, at) => {
      const one = board(`board-${at}`)
      one.edit(bytes)
      return one
    })
    await elapse(2_500)
    expect(boards.map(({ givenUp }) => givenUp?.code)).toEqual([undefined, undefined, 'storage-unavailable', undefined])
  })
})

describe('a big batch', () => {
  test('does not go along with others', () => {
    const { log, board } = setUp()
    board('big').edit(300 * 1024)
    expect(last(log)).toMatchObject({ how: 'append', boards: ['big'] })
    board('small').edit()
    expect(last(log)).toMatchObject({ how: 'append', boards: ['small'] })
  })

  test('waits for its row only where that is locked', async () => {
    const { log, board } = setUp()
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
  const { committer, monitor, board } = setUp()
  board('one').edit()
  committer.stop()
  monitor.stop()
  expect(vi.getTimerCount()).toBe(0)
})
