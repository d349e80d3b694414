/** A big board on its way to one who joins: in order, in slices, and no further than it is wanted. */

import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import { silent } from '../../test/kit/site.ts'
import { until } from '../../test/kit/until.ts'
import { Answers } from './answers.ts'
import { Audience } from './audience.ts'
import { baseFromBytes } from './base.ts'
import { Peer } from './peer.ts'

const grant = grantOf({ subject: 'test', rights: new Map([['*', 'write']]), basis: { issuer: 'test' } })
const frames = Array.from({ length: 60 }, (_, number) => Uint8Array.of(number))

/** A board of sixty frames, and one who asks for all of it on a socket to which each frame takes a millisecond. */
function join() {
  const sent: number[] = []
  const socket = {
    bufferedAmount: 0,
    send(frame: Uint8Array) {
      const end = performance.now() + 1
      while (performance.now() < end);
      sent.push(frame[0] as number)
    },
    close: () => {},
    answersPing: async () => true,
  }
  const doc = new Y.Doc()
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
  const size = { bytes: baseFromBytes }
  const base = { give: (send: (all: readonly Uint8Array[]) => void) => send(frames) }
  const line = { whenCommitted, applyAdmitted: () => {} }
  const parts = [{ doc }, line, audience, size, base] as unknown as ConstructorParameters<typeof Answers>
  const peer = new Peer(socket, grant, 'write')
  audience.add(peer)
  new Answers(...parts).answer(peer, new Map())
  return { audience, peer, sent }
}

const numbers = frames.map(frame => frame[0])

test('others get their turn while it is sent', async () => {
  const { sent } = join()
  expect(sent.length).toBeGreaterThan(0)
  expect(sent.length).toBeLessThan(60)
  await until(() => sent.length === 60)
  expect(sent).toEqual(numbers)
})

test('what is committed meanwhile comes after it', async () => {
  const { audience, sent } = join()
  audience.sendEdits(Uint8Array.of(100))
  await until(() => sent.length === 61)
  expect(sent).toEqual([...numbers, 100])
})

test('who has gone, or asks anew, gets no more of it', async () => {
  const [gone, asking] = [join(), join()]
  gone.audience.remove(gone.peer)
  asking.peer.asked += 1
  const before = [gone.sent.length, asking.sent.length]
  const other = join()
  await until(() => other.sent.length === 60)
  expect([gone.sent.length, asking.sent.length]).toEqual(before)
})
