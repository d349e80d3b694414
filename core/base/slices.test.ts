import { expect, onTestFinished, test, vi } from 'vitest'
import { eachInSlices, inSteps, slices } from './slices.ts'

/** Works until it has had so many slices. @returns the turns of the event loop in which it worked */
async function work(many: number, turn: () => number): Promise<number[]> {
  const turns = [turn()]
  while (turns.length < many) {
    if (!slices.mustStop()) continue
    await slices.next()
    turns.push(turn())
  }
  return turns
}

test('whatever goes on in slices shares one per turn of the event loop', async () => {
  let turn = 0
  let counts = true
  const count = () => {
    turn += 1
    if (counts) setImmediate(count)
  }
  count()
  const turns = await Promise.all([work(4, () => turn), work(4, () => turn), work(4, () => turn)])
  counts = false
  // What began in one turn shares its slice; from then on nobody works in the same one as another, and everybody in turn.
  const later = turns.flatMap(each => each.slice(1))
  expect(new Set(later).size).toBe(later.length)
  for (const round of [1, 2]) {
    expect(Math.max(...turns.map(each => each[round] ?? 0))).toBeLessThan(
      Math.min(...turns.map(each => each[round + 1] ?? 0)),
    )
  }
})

/** A clock that stands still; in the turn that begins with it no slice is open, nor in the one after the test. */
async function stoppedClock(): Promise<void> {
  vi.useFakeTimers({ toFake: ['performance'] })
  const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))
  onTestFinished(async () => {
    vi.useRealTimers()
    await nextTurn()
  })
  await nextTurn()
}

test('who comes back gets a whole slice', async () => {
  await stoppedClock()
  expect(slices.mustStop()).toBe(false)
  vi.advanceTimersByTime(5)
  expect(slices.mustStop()).toBe(true)
  await slices.next()
  expect(slices.mustStop()).toBe(false)
})

const takes = (ms: number) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('what is done for each of many leaves others their turn, and nobody out', async () => {
  const done: number[] = []
  const items = Array.from({ length: 30 }, (_, item) => item)
  let doneByOthersTurn = 0
  setImmediate(() => {
    doneByOthersTurn = done.length
  })
  await eachInSlices(items, item => {
    takes(1)
    done.push(item)
  })
  expect(done).toEqual(items)
  expect(doneByOthersTurn).toBeGreaterThan(0)
  expect(doneByOthersTurn).toBeLessThan(items.length)
})

test('between two steps others get their turn where the first took long, also when nobody has begun a slice', async () => {
  await stoppedClock()
  for (const { ms, hadTurn } of [
    { ms: 20, hadTurn: true },
    { ms: 0, hadTurn: false },
  ]) {
    // In the turn after this one no slice is open.
    await new Promise(resolve => setImmediate(resolve))
    let others = false
    setImmediate(() => {
      others = true
    })
    const othersTurn = inSteps()
    vi.advanceTimersByTime(ms)
    await othersTurn()
    expect(others).toBe(hadTurn)
  }
})
