import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { StorageError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { SaveOutcome } from '../../core/store/board-archive.ts'
import { Snapshots } from './snapshots.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)

function setUp(pace = { debounceMs: 2_000, maxWaitMs: 30_000 }) {
  const board = { seq: 0 }
  const saved: number[] = []
  const save = vi.fn(async (_board: string, _epoch: number, seq: number): Promise<SaveOutcome> => {
    saved.push(seq)
    return 'saved'
  })
  const archive = { save, read: vi.fn() }
  const read = vi.fn(async () => ({ epoch: 1, seq: board.seq, update: Uint8Array.of(0, 0), itemCount: 0 }))
  const snapshots = new Snapshots(parseBoardId('board-1'), archive, pace, read, createLogger('silent'), createMetrics())
  const changed = (rows = 1) => {
    board.seq += rows
    snapshots.changed(rows)
  }
  return { snapshots, saved, save, read, changed }
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
    let end = (_outcome: SaveOutcome) => {}
    save.mockImplementationOnce(() => new Promise(resolve => (end = resolve)))
    changed()
    const first = snapshots.save()
    await elapse(0)
    changed()
    const second = snapshots.save()
    await elapse(100)
    expect(save).toHaveBeenCalledTimes(1)
    end('saved')
    await Promise.all([first, second])
    expect(save).toHaveBeenCalledTimes(2)
  })
})

describe('a change', () => {
  test('that comes in while a snapshot is encoded or written belongs to the next', async () => {
    const { snapshots, saved, read, changed } = setUp()
    read.mockImplementationOnce(async () => {
      changed() // after the state was read
      return { epoch: 1, seq: 1, update: Uint8Array.of(0, 0), itemCount: 0 }
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
