/** A big board on its way to one who joins: in order, in slices, and no further than it is wanted. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import { silent } from '../../test/kit/site.ts'
import { turnsIn } from '../../test/kit/turns.ts'
import { until } from '../../test/kit/until.ts'
import { encodeSyncStep2 } from '../protocol/frames.ts'
import { Answers } from './answers.ts'
import { Audience } from './audience.ts'
import { baseFromBytes } from './base.ts'
import { Peer } from './peer.ts'

const grant = grantOf({ subject: 'test', rights: new Map([['*', 'write']]), basis: { issuer: 'test' } })
const drawnBy = 7

// In a turn of its own, in which no slice is open yet.
beforeEach(() => new Promise<void>(resolve => setImmediate(resolve)))
afterEach(() => void vi.useRealTimers())

/** A document of two edits by one client. */
function drawn(): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = drawnBy
  for (const key of ['a', 'b']) doc.getMap('tldraw').set(key, key)
  return doc
}

function takes(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

const frames = Array.from({ length: 60 }, (_, number) => Uint8Array.of(number))

/** A board of sixty frames, and one who asks for all of it on a socket to which each frame takes a millisecond. */
function join(bytes = baseFromBytes) {
  const sent: number[] = []
  const socket = {
    bufferedAmount: 0,
    send(frame: Uint8Array) {
      takes(1)
      sent.push(frame[0] as number)
    },
    close: () => {},
    answersPing: async () => true,
  }
  const doc = drawn()
  const whenCommitted = (then: () => void) => then()
  const audience = new Audience(
    {
      stateVector: () => Y.encodeStateVector(doc),
      missing: stateVector => Y.encodeStateAsUpdate(doc, stateVector),
      whenCommitted,
      onCaughtUp: () => {},
      bytes: () => 0,
    },
    silent,
  )
  const size = { bytes }
  const base = { give: (send: (all: readonly Uint8Array[]) => void) => send(frames) }
  const line = { whenCommitted, applyAdmitted: () => {} }
  const replica = { doc, encodeStateVector: () => Y.encodeStateVector(doc), encodeState: () => frames }
  const parts = [replica, line, audience, size, base] as unknown as ConstructorParameters<typeof Answers>
  const peer = new Peer(socket, grant, 'write')
  audience.add(peer)
  const answers = new Answers(...parts)
  const ask = (stateVector = new Map<number, number>()) => answers.answer(peer, stateVector)
  return { audience, peer, sent, ask }
}

const numbers = frames.map(frame => frame[0])

test('others get their turn while it is sent', async () => {
  const { sent, ask } = join()
  ask()
  expect(sent.length).toBeLessThan(60)
  await until(() => sent.length === 60)
  expect(sent).toEqual(numbers)
})

test('what is committed meanwhile comes after it', async () => {
  const { audience, sent, ask } = join()
  ask()
  audience.sendEdits(Uint8Array.of(100))
  await until(() => sent.length === 61)
  expect(sent).toEqual([...numbers, 100])
})

test('who has gone gets no more of it', async () => {
  const [gone, other] = [join(), join()]
  gone.ask()
  gone.audience.remove(gone.peer)
  const before = gone.sent.length
  other.ask()
  await until(() => other.sent.length === 60)
  expect(gone.sent.length).toBe(before)
})

test('who names clients that the board does not know, or nothing of those it knows, gets what all who join share', async () => {
  const { sent, ask } = join()
  ask(
    new Map([
      [drawnBy, 0],
      [drawnBy + 1, 5],
    ]),
  )
  await until(() => sent.length === 60)
  expect(sent).toEqual(numbers)
})

test('a board that rests in slices goes out in slices, also where little of it is left', async () => {
  const { sent, ask } = join(0)
  ask()
  await until(() => sent.length === 60)
})

describe('who has a part of the board', () => {
  /**
   * A board whose encoding takes `encodingMs`, counted, and on which nothing is committed where `holds`.
   * @param pass lets so much time pass
   */
  function board(encodingMs: number, pass = takes) {
    const doc = drawn()
    const sent: Uint8Array[] = []
    const gate = { holds: false, waiting: [] as (() => void)[] }
    let encodings = 0
    const replica = {
      encodeStateVector: () => Y.encodeStateVector(doc),
      get doc() {
        encodings += 1
        pass(encodingMs)
        return doc
      },
    }
    const whenCommitted = (then: () => void) => void (gate.holds ? gate.waiting.push(then) : then())
    const peers = new Set<Peer>()
    const audience = { peers, asked: () => {}, answered: () => {}, send: (frame: Uint8Array) => sent.push(frame) }
    const line = { whenCommitted, applyAdmitted: () => {} }
    const size = { bytes: 2 * baseFromBytes }
    const parts = [replica, line, audience, size, {}] as unknown as ConstructorParameters<typeof Answers>
    const answers = new Answers(...parts)
    const join = () => {
      const peer = new Peer(
        { bufferedAmount: 0, send: () => {}, close: () => {}, answersPing: async () => true },
        grant,
        'write',
      )
      peers.add(peer)
      return (clock = 1) => answers.answer(peer, new Map([[drawnBy, clock]]))
    }
    const commit = () => {
      gate.holds = false
      for (const open of gate.waiting.splice(0)) open()
    }
    return { doc, gate, commit, join, sent, encodings: () => encodings }
  }

  test('and asks hundreds of times before a commit has two answers: to the first question and to the last', async () => {
    // No slice is ever over by this clock: the first question is answered before the second comes.
    vi.useFakeTimers({ toFake: ['performance'] })
    const { doc, gate, commit, join, sent, encodings } = board(0)
    gate.holds = true
    const ask = join()
    for (let times = 1; times <= 300; times++) ask(times < 300 ? 1 : 2)
    await new Promise(resolve => setImmediate(resolve))
    expect([encodings(), sent.length]).toEqual([1, 0])
    commit()
    await until(() => sent.length === 2)
    const missing = (clock: number) =>
      encodeSyncStep2(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(new Map([[drawnBy, clock]]))))
    expect(sent).toEqual([missing(1), missing(2)])
    expect(encodings()).toBe(2)
  })

  test('and asks again and again leaves the server nearly all of its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
    const encodingMs = 4
    const { join, encodings } = board(encodingMs, ms => vi.advanceTimersByTime(ms))
    const ask = join()
    for (let passed = 0; passed < 1_000; passed += 1) {
      for (let times = 0; times < 20; times++) ask()
      await vi.advanceTimersByTimeAsync(1)
    }
    const again = encodings() - 1
    expect(again).toBeGreaterThan(5)
    expect(again).toBeLessThanOrEqual(1_000 / (encodingMs * 10))
  })

  test('and asks with many others at once leaves everybody else their turn', async () => {
    const { join, sent } = board(3)
    const turns = await turnsIn(async () => {
      for (let peers = 0; peers < 20; peers++) join()()
      expect(sent.length).toBeLessThan(20)
      await until(() => sent.length === 20)
    })
    expect(turns).toBeGreaterThan(5)
  })
})
