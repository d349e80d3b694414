import { afterEach, expect, test, vi } from 'vitest'
import { releasing } from '../test/kit/releasing.ts'
import { silent } from '../test/kit/site.ts'
import { Housekeeping } from './housekeeping.ts'

const use = releasing()
afterEach(() => void vi.useRealTimers())

test('a stop tells the chore that is under way, waits for its step, and begins no other', async () => {
  let told = () => {}
  const stopped = new Promise<void>(resolve => {
    told = resolve
  })
  let done = false
  const later = vi.fn(async () => {})
  const work = async (signal: AbortSignal) => {
    signal.addEventListener('abort', told)
    await stopped
    done = true
  }
  const chores = [
    { name: 'first', work },
    { name: 'second', work: later },
  ]
  const housekeeping = use(new Housekeeping(chores, silent))
  const round = housekeeping.round()
  await housekeeping.stop()
  expect(done).toBe(true)
  await round
  expect(later).not.toHaveBeenCalled()
})

test('a chore that fails is told of, done again in the next round, and keeps the others from nothing', async () => {
  const failing = vi.fn(async () => {
    throw new Error('not now')
  })
  const other = vi.fn(async () => {})
  const chores = [
    { name: 'fail', work: failing, everyMs: 3_600_000 },
    { name: 'succeed', work: other, everyMs: 3_600_000 },
  ]
  const warn = vi.spyOn(silent, 'warn')
  const housekeeping = use(new Housekeeping(chores, silent))
  await housekeeping.round()
  await housekeeping.round()
  expect(warn).toHaveBeenCalledWith({ err: expect.any(Error) }, 'could not fail')
  expect(failing).toHaveBeenCalledTimes(2)
  expect(other).toHaveBeenCalledTimes(1)
})

test('a chore is due again when its time has passed, whatever became of the clock', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0) })
  const work = vi.fn(async () => {})
  const housekeeping = use(new Housekeeping([{ name: 'tidy', work, everyMs: 60_000 }], silent))
  await housekeeping.round()
  vi.setSystemTime(Date.now() - 3_600_000)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(work).toHaveBeenCalledTimes(2)
  vi.setSystemTime(Date.now() + 7_200_000)
  await housekeeping.round()
  expect(work).toHaveBeenCalledTimes(2)
})
