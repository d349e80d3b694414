import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { oncePerFrame } from './frame.ts'

let frames: (() => void)[] = []
beforeEach(() => {
  vi.useFakeTimers()
  frames = []
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run))
  vi.stubGlobal('cancelAnimationFrame', (frame: number) => {
    frames[frame - 1] = () => {}
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
function draw(): void {
  for (const run of frames.splice(0)) run()
}

it('however often it is asked for, it runs once in the next frame', () => {
  const run = vi.fn()
  const frame = oncePerFrame(run)
  for (let i = 0; i < 10; i++) frame.request()
  expect(run).not.toHaveBeenCalled()
  draw()
  vi.advanceTimersByTime(1000)
  expect(run).toHaveBeenCalledTimes(1)
})

it('in a hidden tab, where no frames come, it runs all the same', () => {
  const run = vi.fn()
  const frame = oncePerFrame(run)
  frame.request()
  vi.advanceTimersByTime(1000)
  expect(run).toHaveBeenCalledTimes(1)
  draw()
  expect(run).toHaveBeenCalledTimes(1)
})

it('can be asked for again while it runs', () => {
  const frame = oncePerFrame(() => {
    if (runs++ === 0) frame.request()
  })
  let runs = 0
  frame.request()
  draw()
  draw()
  expect(runs).toBe(2)
})

it('cancelled, it never runs', () => {
  const run = vi.fn()
  const frame = oncePerFrame(run)
  frame.request()
  frame.cancel()
  draw()
  vi.advanceTimersByTime(1000)
  expect(run).not.toHaveBeenCalled()
})
