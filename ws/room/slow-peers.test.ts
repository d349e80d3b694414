import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import type { SyncError } from '../../core/base/errors.ts'
import { encodeUpdate } from '../protocol/frames.ts'
import { Peer } from './peer.ts'
import { SlowPeers } from './slow-peers.ts'

const MiB = 1024 * 1024
const grant = grantOf({ subject: 'test', rights: new Map([['*', 'write']]), basis: { issuer: 'test' } })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/**
 * A document whose edits are committed when the test says, and one reader of it. The reader's own document takes in what
 * is sent; `waiting` is what its socket says.
 */
function begin() {
  const doc = new Y.Doc()
  const reader = { doc: new Y.Doc(), waiting: 0, frames: 0, closed: [] as SyncError[], caughtUp: 0 }
  const peer = new Peer(
    {
      get bufferedAmount() {
        return reader.waiting
      },
      send: frame => {
        reader.frames += 1
        Y.applyUpdate(reader.doc, frame.subarray(payloadAt(frame)))
        // What Yjs has to put aside came too early; its deletions were applied already.
        expect(reader.doc.store.pendingStructs).toBeNull()
      },
      close: error => void reader.closed.push(error),
      answersPing: async () => true,
    },
    grant,
    'write',
  )
  let uncommitted: (() => void)[] = []
  let held: Uint8Array[] | undefined
  const slow = new SlowPeers({
    stateVector: () => Y.encodeStateVector(doc),
    missing: stateVector => Y.encodeStateAsUpdate(doc, stateVector),
    whenCommitted: then => {
      if (uncommitted.length === 0) then()
      else uncommitted.push(then)
    },
    send: (frame, to) => to.socket.send(frame),
    close: (to, error) => to.socket.close(error),
    hold: () => {
      held = []
    },
    onCaughtUp: () => {
      reader.caughtUp += 1
      for (const frame of held ?? []) peer.socket.send(frame)
      held = undefined
    },
  })
  const apply = (key: string): (() => void) => {
    let update: Uint8Array = new Uint8Array()
    doc.once('update', (bytes: Uint8Array) => {
      update = bytes
    })
    doc.getMap('tldraw').set(key, key)
    const pass = () => {
      if (held) held.push(encodeUpdate(update))
      else if (!slow.goesWithout(peer)) peer.socket.send(encodeUpdate(update))
    }
    uncommitted.push(pass)
    return pass
  }
  const commit = () => {
    const passed = uncommitted
    uncommitted = []
    for (const pass of passed) pass()
  }
  const edit = async (key: string) => {
    apply(key)
    commit()
    await vi.advanceTimersByTimeAsync(1)
  }
  return { reader, edit, apply, commit }
}

/** Behind the two types and the length. */
const payloadAt = (frame: Uint8Array) => frame.findIndex((byte, at) => at >= 2 && byte < 0x80) + 1

const keysOf = (doc: Y.Doc) => [...doc.getMap('tldraw').keys()].sort()

test('a peer with too much waiting gets no more frames, and all it lacks as one when it has drained', async () => {
  const { reader, edit } = begin()
  await edit('a')
  reader.waiting = 5 * MiB
  await edit('b')
  const { frames } = reader
  for (const key of ['c', 'd', 'e']) await edit(key)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(reader.frames).toBe(frames)

  reader.waiting = 0
  await vi.advanceTimersByTimeAsync(200)
  expect(reader.frames).toBe(frames + 1)
  expect(reader.caughtUp).toBe(1)
  expect(keysOf(reader.doc)).toEqual(['a', 'b', 'c', 'd', 'e'])

  await edit('f')
  expect(keysOf(reader.doc)).toContain('f')
})

test('it never gets what is not committed: neither when it falls behind nor when it has drained', async () => {
  const { reader, edit, apply, commit } = begin()
  reader.waiting = 5 * MiB
  const pass = apply('a')
  apply('b')
  pass() // it falls behind on a frame that is committed, while the document holds another edit that is not
  await vi.advanceTimersByTimeAsync(1)
  apply('c')
  expect(keysOf(reader.doc)).toEqual(['a'])
  commit()
  expect(keysOf(reader.doc)).toEqual(['a', 'b'])
  reader.waiting = 0
  await vi.advanceTimersByTimeAsync(500)
  expect(keysOf(reader.doc)).toEqual(['a', 'b', 'c'])

  reader.waiting = 5 * MiB
  for (const key of ['d', 'e']) await edit(key)
  apply('f')
  reader.waiting = 0
  await vi.advanceTimersByTimeAsync(500)
  expect(keysOf(reader.doc)).not.toContain('f')
  commit()
  expect(keysOf(reader.doc)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
})

test('a peer that takes no byte for 30 s is sent away; one that takes some stays', async () => {
  const { reader, edit } = begin()
  reader.waiting = 6 * MiB
  await edit('a')
  for (let seconds = 0; seconds < 60; seconds += 10) {
    reader.waiting -= 1_000
    await vi.advanceTimersByTimeAsync(10_000)
  }
  expect(reader.closed).toEqual([])
  await vi.advanceTimersByTimeAsync(31_000)
  expect(reader.closed.map(({ code }) => code)).toEqual(['too-slow'])
})
