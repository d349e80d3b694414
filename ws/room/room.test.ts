import { randomUUID } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'
import { edit, freshBoard, isUpdate, keysIn, peer, roomsOnOneStore } from '../../test/kit/rooms.ts'
import { until } from '../../test/kit/until.ts'
import type { Peer } from './peer.ts'
import type { Room } from './room.ts'

const { open, storage } = roomsOnOneStore()
const isDenial = (frame: Uint8Array) => frame[0] === 2

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

describe('edits that wait for their turn', () => {
  /** Edits of one peer that are applied one right behind the other. */
  async function sendAtOnce(room: Room, own: Peer, updates: readonly Uint8Array[]) {
    let end = () => {}
    const turn = room.line.turn(() => new Promise<void>(resolve => (end = resolve)))
    await until(() => !room.line.isQuiet)
    for (const update of updates) room.receive({ kind: 'update', update }, own)
    end()
    await turn
    await until(() => room.line.isQuiet)
  }

  test('count for nothing behind one that is refused; what others sent does', async () => {
    const { rooms } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    const [alice, bob] = [peer(), peer()]
    for (const { own } of [alice, bob]) room.join(own)
    const malformed = edit('malformed').subarray(0, -1)
    await sendAtOnce(room, alice.own, [edit('before'), malformed, edit('behind')])
    room.receive({ kind: 'update', update: edit('of another') }, bob.own)
    await until(() => keysIn(room.replica.doc).includes('of another'))
    expect(keysIn(room.replica.doc)).toEqual(['before', 'of another'])
    expect(alice.closed.map(({ code }) => code)).toEqual(['frame-malformed'])
  })

  test('are no fault of their authors where the document cannot be read', async () => {
    const { rooms } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    const alice = peer()
    room.join(alice.own)
    vi.spyOn(room.replica, 'doc', 'get').mockImplementation(() => {
      throw new Error('damaged')
    })
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.closed.length > 0)
    expect(alice.closed.map(({ code }) => code)).toEqual(['storage-unavailable'])
    expect(rooms.has(room.board)).toBe(false)
  })
})

test('an update of nothing is echoed behind what was sent before it', async () => {
  const { rooms } = open()
  const { room } = await rooms.hold(freshBoard(), true)
  const alice = peer()
  room.join(alice.own)
  room.receive({ kind: 'sync-step-1', stateVector: new Map() }, alice.own)
  // The first is on its way to storage, the second waits for it to come back.
  for (const update of [edit('a'), edit('b'), Uint8Array.of(0, 0)]) room.receive({ kind: 'update', update }, alice.own)
  const ofNothing = [0, 2, 2, 0, 0]
  const frames = () => alice.sent.filter(isUpdate).map(frame => [...frame])
  await until(() => frames().some(frame => frame.length === ofNothing.length))
  expect(frames().at(-1)).toEqual(ofNothing)
  const doc = new Y.Doc()
  for (const frame of frames()) Y.applyUpdate(doc, Uint8Array.from(frame.slice(3)))
  expect(keysIn(doc)).toEqual(['a', 'b'])
})

describe('who may only read', () => {
  test('wakes no document that rests by what it has', async () => {
    const { rooms } = open({ restMs: 20 })
    const { room } = await rooms.hold(freshBoard(), true)
    const [alice, reader] = [peer(), peer({}, 'read')]
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    const known = room.replica.encodeState()[0] as Uint8Array
    await until(() => room.replica.rests, { what: 'the document to rest' })
    room.join(reader.own)
    room.receive({ kind: 'sync-step-2', update: known }, reader.own)
    expect(reader.sent.some(isDenial)).toBe(false)
    room.receive({ kind: 'sync-step-2', update: edit('of the reader') }, reader.own)
    expect(reader.sent.some(isDenial)).toBe(true)
    expect(room.replica.rests).toBe(true)
  })

  test('is refused nothing that the log has, though it was not read here yet, and told so of all else', async () => {
    const { rooms } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    const seen = edit('seen on another instance')
    const entries = [{ actor: 'human:alice' as const, data: seen }]
    await storage().boards.append(randomUUID(), [{ board: room.board, entries }])
    const [comes, edits] = [peer({}, 'read'), peer({}, 'read')]
    room.join(comes.own)
    room.receive({ kind: 'sync-step-2', update: seen }, comes.own)
    await until(() => room.replica.known === 1)
    room.join(edits.own)
    room.receive({ kind: 'sync-step-2', update: edit('of its own') }, edits.own)
    await until(() => edits.sent.some(isDenial))
    expect(comes.sent.some(isDenial)).toBe(false)
  })

  test.each(['sync-step-2', 'update'] as const)('is sent away for a malformed %s as others are', async kind => {
    const { rooms } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    const reader = peer({}, 'read')
    room.join(reader.own)
    expect(() => room.receive({ kind, update: edit('a').subarray(0, -1) }, reader.own)).toThrow('malformed update')
    expect(reader.sent.some(isDenial)).toBe(false)
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

test('who asks again while its answer waits gets that, and one more', async () => {
  const { rooms } = open()
  const { room } = await rooms.hold(freshBoard(), true)
  const [alice, bob] = [peer(), peer()]
  room.join(alice.own)
  room.join(bob.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  for (let times = 0; times < 30; times++) room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  const answers = () => bob.sent.filter(frame => frame[0] === 0 && frame[1] === 1).length
  expect(answers()).toBe(0)
  await until(() => bob.sent.some(isUpdate) && room.line.isQuiet && answers() > 0)
  expect(answers()).toBeLessThanOrEqual(2)
  const before = answers()
  room.receive({ kind: 'sync-step-1', stateVector: new Map() }, bob.own)
  await until(() => answers() > before)
})

test('who asks again and again who is here is told once', async () => {
  const { rooms } = open()
  const { room } = await rooms.hold(freshBoard(), true)
  const [alice, bob] = [peer(), peer()]
  for (const { own } of [alice, bob]) room.join(own)
  const json = new TextEncoder().encode('{}')
  room.receive({ kind: 'awareness', states: [{ clientId: 1, clock: 1, json }] }, alice.own)
  const told = () => bob.sent.filter(frame => frame[0] === 1).length
  await until(() => told() === 1)
  for (let times = 0; times < 300; times++) room.receive({ kind: 'query-awareness' }, bob.own)
  await until(() => told() > 1)
  expect(told()).toBe(2)
})
