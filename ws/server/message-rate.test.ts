import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Frame } from '../protocol/frames.ts'
import { MessageRate } from './message-rate.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const numbered = (n: number): Frame => ({ kind: 'update', update: Uint8Array.of(n >> 8, n & 255) })
const cursor = (clientId: number, clock: number): Frame => ({
  kind: 'awareness',
  states: [{ clientId, clock, json: new Uint8Array() }],
})

function setUp({ perSecond = 10, burst = 20 } = {}) {
  const delivered: Frame[] = []
  const socket = {
    deliver: (frame: Frame) => void delivered.push(frame),
    isCrowded: () => false,
    pause: vi.fn(),
    resume: vi.fn(),
    onFlood: vi.fn(),
  }
  const rate = new MessageRate({ doc: { perSecond, burst }, awareness: { perSecond: 5, burst: 5 } }, socket)
  const numbers = () =>
    delivered.flatMap(frame => (frame.kind === 'update' ? [(frame.update[0] ?? 0) * 256 + (frame.update[1] ?? 0)] : []))
  const cursors = () => delivered.flatMap(frame => (frame.kind === 'awareness' ? [frame.states] : []))
  return { rate, socket, delivered, numbers, cursors }
}

/** Sends so many a second for so long. @returns how many were sent until `until` */
async function send(
  rate: MessageRate,
  frame: (n: number) => Frame,
  perSecond: number,
  seconds: number,
  until = () => false,
) {
  let sent = 0
  for (let tick = 0; tick < seconds * 10 && !until(); tick++) {
    for (let n = 0; n < perSecond / 10; n++) rate.receive(frame(sent++), 60)
    await elapse(100)
  }
  return sent
}

test('what is asked does not wait for storage to keep up with edits, but stays behind those that do', async () => {
  const { rate, socket, delivered } = setUp()
  const question: Frame = { kind: 'sync-step-1', stateVector: new Map() }
  socket.isCrowded = () => true
  rate.receive(question, 10)
  rate.receive(numbered(1), 10)
  rate.receive(question, 10)
  expect(delivered).toEqual([question])
  socket.isCrowded = () => false
  await elapse(100)
  expect(delivered).toEqual([question, numbered(1), question])
})

describe('edits over the rate', () => {
  test('go on at the rate, in their order, and none is lost', async () => {
    const { rate, socket, numbers } = setUp()
    const all = Array.from({ length: 120 }, (_, n) => n)
    for (const n of all) rate.receive(numbered(n), 60)
    expect(numbers()).toEqual(all.slice(0, 20))
    await elapse(1_000)
    expect(numbers().length).toBeGreaterThanOrEqual(29)
    expect(numbers().length).toBeLessThanOrEqual(30)
    await elapse(10_000)
    expect(numbers()).toEqual(all)
    expect(socket.onFlood).not.toHaveBeenCalled()
  })

  test('do not overtake those that wait, though there may be another one now', async () => {
    const { rate, numbers } = setUp({ perSecond: 100, burst: 1 })
    for (const n of [0, 1, 2]) rate.receive(numbered(n), 60)
    await elapse(15)
    rate.receive(numbered(3), 60)
    await elapse(1_000)
    expect(numbers()).toEqual([0, 1, 2, 3])
  })

  test('within the rate are not held up', async () => {
    const { rate, numbers } = setUp()
    const sent = await send(rate, numbered, 10, 60)
    expect(numbers()).toHaveLength(sent)
  })

  test('are all taken when the client goes, and dropped when we send it away', () => {
    for (const takesRest of [true, false]) {
      const { rate, numbers } = setUp()
      for (let n = 0; n < 100; n++) rate.receive(numbered(n), 60)
      rate.close(takesRest)
      expect(numbers()).toHaveLength(takesRest ? 100 : 20)
      rate.receive(numbered(100), 60)
      expect(numbers()).toHaveLength(takesRest ? 100 : 20)
    }
  })

  test('past a bound wait in the network: reading pauses, and resumes when half of them are taken', async () => {
    const { rate, socket, numbers } = setUp()
    const big = 1024 * 1024
    for (let n = 0; n < 25; n++) rate.receive(numbered(n), big)
    expect([socket.pause.mock.calls.length, socket.resume.mock.calls.length]).toEqual([1, 0])
    await elapse(200)
    expect(socket.resume).not.toHaveBeenCalled()
    await elapse(400)
    expect([socket.pause.mock.calls.length, socket.resume.mock.calls.length]).toEqual([1, 1])
    expect(numbers()).toEqual(Array.from({ length: 25 }, (_, n) => n))
  })
})

describe('edits of a crowded board', () => {
  test('wait in their order until it is not, a bounded part of them in memory; cursors go on', async () => {
    const { rate, socket, numbers, cursors } = setUp({ perSecond: 1_000, burst: 1_000 })
    rate.receive(numbered(0), 60)
    socket.isCrowded = () => true
    for (const n of [1, 2, 3]) rate.receive(numbered(n), 2 * 1024 * 1024)
    rate.receive(cursor(1, 1), 60)
    await elapse(1_000)
    expect([numbers(), cursors().length]).toEqual([[0], 1])
    expect(socket.pause).toHaveBeenCalledTimes(1)
    expect(socket.resume).not.toHaveBeenCalled()
    socket.isCrowded = () => false
    rate.receive(numbered(4), 60)
    await elapse(20)
    expect(numbers()).toEqual([0, 1, 2, 3, 4])
    expect(socket.resume).toHaveBeenCalledTimes(1)
    expect(socket.onFlood).not.toHaveBeenCalled()
  })
})

describe('cursors over the rate', () => {
  test('the newest of each client wins, and edits do not wait for them', async () => {
    const { rate, cursors, numbers } = setUp()
    for (let clock = 1; clock <= 50; clock++) {
      rate.receive(cursor(1, clock), 60)
      rate.receive(cursor(2, clock), 60)
    }
    rate.receive(numbered(1), 60)
    expect([cursors().length, numbers().length]).toEqual([5, 1])
    await elapse(220)
    expect(cursors()).toHaveLength(6)
    expect(
      cursors()
        .at(-1)
        ?.map(({ clientId, clock }) => [clientId, clock])
        .sort(),
    ).toEqual([
      [1, 50],
      [2, 50],
    ])
    await elapse(5_000)
    expect(cursors()).toHaveLength(6)
  })

  test('an older state does not take the place of a newer one', async () => {
    const { rate, cursors } = setUp()
    for (let n = 0; n < 5; n++) rate.receive(cursor(9, n), 60)
    for (const clock of [7, 8, 6]) rate.receive(cursor(1, clock), 60)
    await elapse(300)
    expect(cursors().at(-1)).toMatchObject([{ clientId: 1, clock: 8 }])
  })
})

describe('who sends ten times as much', () => {
  test.each<[string, (n: number) => Frame, number]>([
    ['of edits', numbered, 100],
    ['of cursors', n => cursor(1, n), 50],
  ])('%s for 30 s is told to go, not sooner', async (_what, frame, perSecond) => {
    const { rate, socket } = setUp()
    await send(rate, frame, perSecond, 29)
    expect(socket.onFlood).not.toHaveBeenCalled()
    await send(rate, frame, perSecond, 5, () => socket.onFlood.mock.calls.length > 0)
    expect(socket.onFlood).toHaveBeenCalled()
  })

  test('for less long, or five times as much for long, only waits', async () => {
    const { rate, socket, numbers } = setUp()
    let sent = await send(rate, numbered, 120, 20)
    await elapse(60_000)
    sent += await send(rate, numbered, 50, 90)
    expect(socket.onFlood).not.toHaveBeenCalled()
    await elapse(1_000_000)
    expect(numbers()).toHaveLength(sent)
  })

  test('is told to go also where reading paused: what it sends cannot be seen then', async () => {
    const { rate, socket } = setUp()
    // What waits in the network is here as soon as it is read.
    const press = () => {
      for (let n = 0; n < 300; n++) rate.receive(numbered(n), 30_000)
    }
    socket.resume.mockImplementation(press)
    press()
    expect(socket.pause).toHaveBeenCalled()
    await elapse(29_000)
    expect(socket.onFlood).not.toHaveBeenCalled()
    await elapse(2_000)
    expect(socket.onFlood).toHaveBeenCalled()
  })
})
