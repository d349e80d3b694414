import { describe, expect, test } from 'vitest'
import { SyncError } from '../../core/base/errors.ts'
import { edit, freshBoard, isUpdate, keysIn, peer, roomsOnOneStore } from '../../test/kit/rooms.ts'
import { until } from '../../test/kit/until.ts'

const { open } = roomsOnOneStore()

describe('a discarded room', () => {
  test('sends everybody away, takes nothing more, and the next open reads the log', async () => {
    const { rooms, save } = open()
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('committed') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    room.receive({ kind: 'update', update: edit('lost') }, alice.own)
    rooms.discard(room, new SyncError('storage-unavailable', 'too long'))
    room.receive({ kind: 'update', update: edit('late') }, alice.own)
    expect(alice.closed.map(({ code }) => code)).toEqual(['storage-unavailable'])
    expect(() => room.join(peer().own)).toThrow('too long')
    release()
    const again = await rooms.hold(board, true)
    expect(again.room).not.toBe(room)
    expect(keysIn(again.room.replica.doc)).toContain('committed')
    expect(keysIn(again.room.replica.doc)).not.toContain('late')
    expect(save).not.toHaveBeenCalled()
  })
})

describe('a broadcast', () => {
  test('reaches the others though one socket throws, which is sent away', async () => {
    const { rooms } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    const fail = () => {
      throw new Error('broken')
    }
    const [alice, bob] = [peer(), peer()]
    const [broken, worse] = [peer({ send: fail }), peer({ send: fail, close: fail })]
    for (const { own } of [alice, broken, worse, bob]) room.join(own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate) && bob.sent.some(isUpdate))
    expect(broken.closed.length).toBeGreaterThan(0)
  })
})

test('a board that nobody edits for a while keeps no document: whoever joins then does not wake it, an edit does', async () => {
  const { rooms } = open({ restMs: 20 })
  const { room } = await rooms.hold(freshBoard(), true)
  const [alice, bob] = [peer(), peer()]
  room.join(alice.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  await until(() => alice.sent.some(isUpdate))
  await until(() => room.replica.usedAt === undefined, { what: 'the document to rest' })

  room.join(bob.own)
  room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  room.receive({ kind: 'sync-step-2', update: Uint8Array.of(0, 0) }, bob.own)
  // A step 2 of nothing is no edit; an update of nothing is one, and gets its echo.
  expect(bob.sent.some(isUpdate)).toBe(false)
  room.receive({ kind: 'update', update: Uint8Array.of(0, 0) }, bob.own)
  await until(() => bob.sent.some(isUpdate), { what: 'the echo' })
  expect(room.replica.usedAt).toBeUndefined()
  const answer = bob.sent.find(frame => frame[0] === 0 && frame[1] === 1)
  expect(answer?.length).toBeGreaterThan(10)

  room.receive({ kind: 'update', update: edit('b') }, bob.own)
  await until(() => alice.sent.filter(isUpdate).length === 2)
  expect(keysIn(room.replica.doc)).toEqual(['a', 'b'])
})

test('who asks again while its answer waits gets the later one only', async () => {
  const { rooms } = open()
  const { room } = await rooms.hold(freshBoard(), true)
  const [alice, bob] = [peer(), peer()]
  room.join(alice.own)
  room.join(bob.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  for (let times = 0; times < 3; times++) room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  await until(() => bob.sent.some(isUpdate))
  expect(bob.sent.filter(frame => frame[0] === 0 && frame[1] === 1)).toHaveLength(1)
  room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  expect(bob.sent.filter(frame => frame[0] === 0 && frame[1] === 1)).toHaveLength(2)
})
