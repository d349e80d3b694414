/** The sockets of an instance that goes. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { isSyncStep1 } from '../../test/kit/frames.ts'
import { connectRaw } from '../../test/kit/raw-client.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { freshBoard, Site } from '../../test/kit/site.ts'
import { Socket } from './socket.ts'

const use = releasing()

test('are closed bit by bit, within a second and a half', async () => {
  const site = use(await Site.start())
  const board = freshBoard()
  for (let nth = 0; nth < 20; nth++) {
    await use(await connectRaw(`${site.wsUrl}/${board}`)).frame(isSyncStep1)
  }
  const close = vi.spyOn(Socket.prototype, 'close')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
    close.mockRestore()
  })
  const drained = site.sockets.drain()
  const closed: number[] = []
  for (let passed = 0; passed < 1_500; passed += 100) {
    vi.advanceTimersByTime(100)
    closed.push(close.mock.calls.length)
  }
  expect(new Set(closed).size).toBeGreaterThan(4)
  expect(closed.at(-1)).toBe(20)
  await drained
})
