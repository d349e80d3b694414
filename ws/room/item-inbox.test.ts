import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMetrics } from '../../core/base/metrics.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { silent } from '../../test/kit/site.ts'
import { ItemInbox } from './item-inbox.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('while the store takes long to say what waits it is not asked again', async () => {
  const answers: (() => void)[] = []
  const boardsWithPending = () => new Promise<never[]>(resolve => answers.push(() => resolve([])))
  const changes = { boardsWithPending, forgetOld: async () => {} }
  const inbox = new ItemInbox(
    changes as never,
    {} as never,
    createInProcessBus(silent),
    silent,
    createMetrics(),
    () => {},
  )
  void inbox.start()
  await vi.advanceTimersByTimeAsync(8_000)
  expect(answers).toHaveLength(1)
  answers[0]?.()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(answers).toHaveLength(2)
  await inbox.stop()
})
