import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { StorageError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { Saved } from '../../core/store/snapshot-writer.ts'
import { type InTurn, Snapshots } from './snapshots.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)

function setUp(pace = { debounceMs: 2_000, maxWaitMs: 30_000 }, inTurn: InTurn = work => work()) {
  const board = { seq: 0, packed: 0 }
  const saved: number[] = []
  const save = vi.fn(async (_board: string, _epoch: number, seq: number): Promise<Saved> => {
    saved.push(seq)
    return { outcome: 'saved', left: seq - board.packed }
  })
  const pack = vi.fn(async () => {
    board.packed = saved.at(-1) ?? 0
  })
  const archive = { save, pack, read: vi.fn() }
  const read = vi.fn(async () => ({ epoch: 1, seq: board.seq, state: Uint8Array.of(0, 0), itemCount: 0 }))
  const snapshots = new Snapshots(
    parseBoardId('board-1'),
    archive,
    pace,
    read,
    inTurn,
    createLogger('silent'),
    createMetrics(),
  )
  const changed = (rows = 1) => {
    board.seq += rows
    snapshots.changed(rows)
  }
  return { snapshots, saved, save, pack, board, read, changed }
}

describe('a snapshot', () => {
  test('is written a while after the last change', async () => {
    const { saved, changed } = setUp()
    changed()
    await elapse(1_500)
    changed()
    await elapse(1_999)
    expect(saved).toEqual([])
    await elapse(1)
    expect(saved).toEqual([2])
    await elapse(100_000)
    expect(saved).toEqual([2])
  })

  test('is written at the latest 30 s after the first change that no snapshot has', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { saved, changed } = setUp()
    for (let second = 0; second < 29; second++) {
      changed()
      await elapse(1_000)
    }
    expect(saved).toEqual([])
    changed()
    await elapse(1_000)
    expect(saved).toEqual([30])
  })

  test('of boards that are changed all the time is written sooner for some, so that they are not due together', async () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1).mockReturnValue(0.5)
    const boards = [setUp(), setUp()] as const
    for (let second = 0; second < 30; second++) {
      for (const { changed } of boards) changed()
      await elapse(1_000)
    }
    expect(boards.map(({ saved }) => saved)).toEqual([[30], [21]])
  })

  test('is written early when the log grows long, though not more often than the debounce says', async () => {
    const { saved, changed } = setUp({ debounceMs: 2_000, maxWaitMs: 30_000 })
    changed(251)
    await elapse(1_000)
    changed(1)
    await elapse(999)
    expect(saved).toEqual([])
    await elapse(1)
    expect(saved).toEqual([252])
    for (let tick = 0; tick < 40; tick++) {
      changed(100)
      await elapse(100)
    }
    expect(saved).toHaveLength(3)
  })

  test('that is due later is written at once where the log grows long meanwhile', async () => {
    const { saved, changed } = setUp()
    await elapse(10_000)
    changed(1)
    await elapse(500)
    changed(250)
    await elapse(1)
    expect(saved).toEqual([251])
  })

  test('is written at once when asked for, if there is anything new', async () => {
    const { snapshots, saved, changed } = setUp()
    await snapshots.save()
    expect(saved).toEqual([])
    changed()
    await snapshots.save()
    await snapshots.save()
    expect(saved).toEqual([1])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('of one board is written one at a time', async () => {
    const { snapshots, save, changed } = setUp()
    let end = (_saved: Saved) => {}
    save.mockImplementationOnce(() => new Promise(resolve => (end = resolve)))
    changed()
    const first = snapshots.save()
    await elapse(0)
    changed()
    const second = snapshots.save()
    await elapse(100)
    expect(save).toHaveBeenCalledTimes(1)
    end({ outcome: 'saved', left: 1 })
    await Promise.all([first, second])
    expect(save).toHaveBeenCalledTimes(2)
  })
})

describe('a snapshot that waits for its turn', () => {
  const waiting = () => {
    const turns: (() => void)[] = []
    const inTurn: InTurn = work => new Promise(resolve => turns.push(() => resolve(work())))
    return { turns, ...setUp(undefined, inTurn) }
  }

  test('is asked for once, however much changes meanwhile, and holds all of it', async () => {
    const { turns, saved, changed } = waiting()
    changed()
    await elapse(2_000)
    for (let second = 0; second < 60; second++) {
      changed(300)
      await elapse(1_000)
    }
    expect(turns).toHaveLength(1)
    turns[0]?.()
    await elapse(100_000)
    expect(saved).toEqual([18_001])
    expect(turns).toHaveLength(1)
  })

  test('is followed by another where something changed after it began', async () => {
    const { turns, saved, changed } = waiting()
    changed()
    await elapse(2_000)
    turns[0]?.()
    changed()
    await elapse(2_000)
    turns[1]?.()
    await elapse(0)
    expect(saved).toEqual([1, 2])
  })
})

describe('the log', () => {
  test('keeps what snapshots cover until that is a lot, and is never longer than it may be', async () => {
    const { board, saved, pack, changed } = setUp()
    const lengths: number[] = []
    for (let second = 0; second < 300; second++) {
      changed(2)
      lengths.push(board.seq - board.packed)
      await elapse(1_000)
    }
    expect(saved.length).toBeGreaterThan(2 * pack.mock.calls.length)
    expect(pack.mock.calls.length).toBeGreaterThan(1)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(260)
  })

  test('has the rows of earlier processes in it too', async () => {
    const { board, pack, changed } = setUp()
    board.seq = 200
    changed()
    await elapse(2_000)
    expect(pack).toHaveBeenCalledTimes(1)
  })

  test('of a board that is left alone is emptied, also where its snapshot is written already', async () => {
    const { snapshots, saved, pack, changed } = setUp()
    await snapshots.settle()
    expect(pack).not.toHaveBeenCalled()
    changed()
    await snapshots.save()
    expect(pack).not.toHaveBeenCalled()
    await snapshots.settle()
    await snapshots.settle()
    expect([saved, pack.mock.calls.length]).toEqual([[1], 1])
    changed()
    await snapshots.settle()
    expect([saved, pack.mock.calls.length]).toEqual([[1, 2], 2])
  })

  test('that could not be shortened is shortened with the next snapshot', async () => {
    const { board, saved, pack, changed } = setUp()
    pack.mockRejectedValueOnce(new StorageError('unavailable', 'down'))
    changed(201)
    await elapse(2_000)
    expect(board.packed).toBe(0)
    changed()
    await elapse(2_000)
    expect([saved, board.packed]).toEqual([[201, 202], 202])
  })
})

describe('a change', () => {
  test('that comes in while a snapshot is encoded or written belongs to the next', async () => {
    const { snapshots, saved, read, changed } = setUp()
    read.mockImplementationOnce(async () => {
      changed() // after the state was read
      return { epoch: 1, seq: 1, state: Uint8Array.of(0, 0), itemCount: 0 }
    })
    changed()
    await snapshots.save()
    expect(saved).toEqual([1])
    await elapse(2_000)
    expect(saved).toEqual([1, 2])
  })
})

describe('a snapshot that fails', () => {
  const down = new StorageError('unavailable', 'down')

  test('is tried again', async () => {
    const { saved, save, changed } = setUp()
    save.mockRejectedValueOnce(down)
    changed()
    await elapse(2_000)
    expect(save).toHaveBeenCalledTimes(1)
    await elapse(2_000)
    expect(saved).toEqual([1])
  })

  test('is not tried again at every edit, however long it has failed', async () => {
    const { save, changed } = setUp()
    save.mockRejectedValue(down)
    for (let tick = 0; tick < 400; tick++) {
      changed()
      await elapse(100)
    }
    save.mockClear()
    for (let tick = 0; tick < 100; tick++) {
      changed()
      await elapse(100)
    }
    expect(save.mock.calls.length).toBeGreaterThanOrEqual(4)
    expect(save.mock.calls.length).toBeLessThanOrEqual(6)
  })

  test('because its state cannot be read is tried again too', async () => {
    const { saved, read, changed } = setUp()
    read.mockRejectedValueOnce(new Error('no turn'))
    changed()
    await elapse(4_000)
    expect(saved).toEqual([1])
  })
})

test('a closed board is not written any more, and keeps no timer', async () => {
  const { snapshots, saved, changed } = setUp()
  changed()
  snapshots.close()
  changed()
  await snapshots.save()
  await elapse(100_000)
  expect(saved).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
