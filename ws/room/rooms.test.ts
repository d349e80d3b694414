import { describe, expect, test, vi } from 'vitest'
import type * as Y from 'yjs'
import { StorageError } from '../../core/base/errors.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { cutFromBytes } from '../../core/doc/slices.ts'
import { isCut } from '../../core/store/state-bytes.ts'
import { draining, edit, freshBoard, isUpdate, keysIn, peer, roomsOnOneStore } from '../../test/kit/rooms.ts'
import { until } from '../../test/kit/until.ts'

const { open, drawnBoard, storage } = roomsOnOneStore()

describe('opening', () => {
  test('is done once, however many come at a time', async () => {
    const { rooms, read } = open()
    const board = await drawnBoard()
    const holds = await Promise.all(Array.from({ length: 5 }, () => rooms.hold(board, true)))
    expect(new Set(holds.map(({ room }) => room)).size).toBe(1)
    expect(read).toHaveBeenCalledTimes(1)
    expect(rooms.size).toBe(1)
    expect(keysIn(holds[0]?.room.replica.doc as Y.Doc)).toEqual(['drawn'])
  })

  test('of a board that nobody has drawn on reads nothing', async () => {
    const { rooms, read } = open()
    const { room } = await rooms.hold(freshBoard(), true)
    expect(room.replica.known).toBe(0)
    expect(read).not.toHaveBeenCalled()
  })

  test('that fails leaves nothing behind, tells all who waited, and is tried again by the next', async () => {
    const { rooms, read, save } = open()
    const board = await drawnBoard()
    read.mockRejectedValueOnce(new StorageError('unavailable', 'down'))
    const waiting = await Promise.allSettled([rooms.hold(board, true), rooms.hold(board, true)])
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(rooms.size).toBe(0)
    expect(save).not.toHaveBeenCalled()
    await rooms.hold(board, true)
    expect(rooms.has(board)).toBe(true)
  })

  test('brings no board into being for who may not; who may does not suffer from one who tried before', async () => {
    const { rooms } = open()
    const board = freshBoard()
    await expect(rooms.hold(board, false)).rejects.toMatchObject({ code: 'board-forbidden' })
    const [reader, writer] = await Promise.allSettled([rooms.hold(board, false), rooms.hold(board, true)])
    expect(reader.status).toBe('rejected')
    expect(writer.status).toBe('fulfilled')
  })
})

describe('a room that nobody holds', () => {
  test('leaves memory after a while with a snapshot, and comes back whole', async () => {
    const { rooms, save } = open({ idleMs: 10 })
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    room.leave(alice.own)
    release()
    release() // a second time means nothing
    await until(() => rooms.size === 0)
    expect(save).toHaveBeenCalledTimes(1)
    const again = await rooms.hold(board, false)
    expect(again.room).not.toBe(room)
    expect(keysIn(again.room.replica.doc)).toEqual(['a'])
  })

  test('stays while somebody else holds it, and when somebody comes back in time', async () => {
    const { rooms } = open({ idleMs: 10_000 })
    const board = freshBoard()
    const [first, second] = [await rooms.hold(board, true), await rooms.hold(board, true)]
    first.release()
    second.release()
    const third = await rooms.hold(board, true)
    expect(third.room).toBe(first.room)
  })

  test('leaves a short log behind, save where all rooms close: then there is no time for that', async () => {
    const { rooms, save, pack } = open({ idleMs: 0 })
    const draw = async (board: BoardId) => {
      const hold = await rooms.hold(board, true)
      const alice = peer()
      hold.room.join(alice.own)
      hold.room.receive({ kind: 'update', update: edit('a') }, alice.own)
      await until(() => alice.sent.some(isUpdate))
      return hold
    }
    const [left, kept] = [freshBoard(), freshBoard()]
    const [hold] = await Promise.all([draw(left), draw(kept)])
    hold.release()
    await until(() => !rooms.has(left))
    await rooms.close(draining)
    expect(save.mock.calls.map(([board]) => board)).toEqual([left, kept])
    expect(pack.mock.calls).toEqual([[left]])
  })

  test('is written cut where it is big, and so it rests when it is opened again', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('x'.repeat(cutFromBytes)) }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    room.leave(alice.own)
    release()
    await until(() => !rooms.has(board))
    expect(save.mock.calls.map(([, , , state]) => isCut(state))).toEqual([true])
    const { replica } = (await rooms.hold(board, true)).room
    expect(replica.rests).toBe(true)
    expect(keysIn(replica.doc)).toEqual(['x'.repeat(cutFromBytes)])
  })

  test('and is closing is waited for by who comes: it finds the board as it was saved', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    let end = () => {}
    save.mockImplementationOnce(async (...given) => {
      await new Promise<void>(resolve => {
        end = resolve
      })
      return storage().archive.save(...given)
    })
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    release()
    await until(() => save.mock.calls.length === 1)
    const came = vi.fn()
    const coming = rooms.hold(board, true).then(hold => {
      came()
      return hold
    })
    await until(() => rooms.has(board))
    expect(came).not.toHaveBeenCalled()
    end()
    const again = await coming
    expect(again.room).not.toBe(room)
    expect(keysIn(again.room.replica.doc)).toEqual(['a'])
  })

  test('whose snapshot fails closes all the same: the log has everything', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    save.mockRejectedValue(new StorageError('unavailable', 'down'))
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    release()
    await until(() => rooms.size === 0)
    expect(alice.closed).toHaveLength(1)
    expect(keysIn((await rooms.hold(board, false)).room.replica.doc)).toEqual(['a'])
  })

  test('whose snapshot does not come about closes all the same, and so lets in who came meanwhile', async () => {
    const { rooms, save } = open({ idleMs: 0 })
    const board = freshBoard()
    save.mockReturnValueOnce(new Promise(() => {}))
    const { room, release } = await rooms.hold(board, true)
    const alice = peer()
    room.join(alice.own)
    room.receive({ kind: 'update', update: edit('a') }, alice.own)
    await until(() => alice.sent.some(isUpdate))
    release()
    await until(() => save.mock.calls.length === 1)
    expect(keysIn((await rooms.hold(board, false)).room.replica.doc)).toEqual(['a'])
  })

  test('and cannot be taken apart does not keep its board closed', async () => {
    const { rooms } = open({ idleMs: 0 })
    const board = freshBoard()
    const { room, release } = await rooms.hold(board, true)
    vi.spyOn(room.replica, 'destroy').mockImplementation(() => {
      throw new Error('a fault of ours')
    })
    release()
    await until(() => rooms.size === 0)
    expect((await rooms.hold(board, true)).room).not.toBe(room)
  })
})

test('stopping commits, snapshots and closes every room, those that are opening too', async () => {
  const { rooms, read, save } = open()
  const [board, opening] = [freshBoard(), await drawnBoard()]
  const { room } = await rooms.hold(board, true)
  const alice = peer()
  room.join(alice.own)
  room.receive({ kind: 'update', update: edit('a') }, alice.own)
  let end = () => {}
  read.mockImplementationOnce(async (...given) => {
    await new Promise<void>(resolve => {
      end = resolve
    })
    return storage().archive.read(...given)
  })
  const late = rooms.hold(opening, true)
  await until(() => read.mock.calls.length === 1)
  const closed = rooms.close(draining)
  end()
  await Promise.all([late, closed])
  expect(rooms.size).toBe(0)
  // The other had a row that no snapshot held yet.
  expect(new Set(save.mock.calls.map(([saved]) => saved))).toEqual(new Set([board, opening]))
  expect(alice.closed).toEqual([draining])
  const stored = await storage().archive.read(board, 0)
  expect(stored?.snapshot?.seq).toBe(1)
})

test('boards whose snapshots are due together are written a few at a time, and edited meanwhile', async () => {
  const { rooms, save } = open()
  const ends: (() => void)[] = []
  let holding = true
  save.mockImplementation(async (...given) => {
    if (holding) await new Promise<void>(resolve => ends.push(resolve))
    return storage().archive.save(...given)
  })
  const alice = peer()
  const opened = await Promise.all(
    Array.from({ length: 9 }, async () => {
      const { room } = await rooms.hold(freshBoard(), true)
      room.join(alice.own)
      room.receive({ kind: 'update', update: edit('a') }, alice.own)
      return room
    }),
  )
  await until(() => opened.every(({ line }) => line.isQuiet))
  const savings = opened.map(({ snapshots }) => snapshots.save())
  await until(() => ends.length === 4)
  for (const room of opened) room.receive({ kind: 'update', update: edit('b') }, alice.own)
  await until(() => opened.every(({ line }) => line.isQuiet))
  expect(save).toHaveBeenCalledTimes(4)
  for (let done = 0; done < opened.length; done++) {
    await until(() => ends.length > done)
    ends[done]?.()
  }
  await Promise.all(savings)
  holding = false
  const stored = await Promise.all(opened.map(({ board }) => storage().archive.read(board, 0)))
  // Those that waited for their turn hold what came until then.
  expect(stored.map(board => board?.snapshot?.seq)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2])
})

test('open rooms have no timer each: one looks at all of them, and one that fails keeps it from none', async () => {
  const { rooms } = open({ restMs: 300 })
  const timers = vi.spyOn(globalThis, 'setInterval')
  const [broken, sound] = [await rooms.hold(freshBoard(), true), await rooms.hold(freshBoard(), true)]
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
  const look = vi.spyOn(broken.room, 'look').mockImplementation(() => {
    throw new Error('broken')
  })
  await until(() => sound.room.replica.rests)
  expect(look).toHaveBeenCalled()
})

test('many rooms that have something to do leave others their turn', async () => {
  const { rooms } = open({ restMs: 100 })
  let turn = 0
  const count = setInterval(() => {
    turn += 1
  }, 0)
  const lookedAt = new Map<number, number>()
  const held = await Promise.all(Array.from({ length: 20 }, () => rooms.hold(freshBoard(), true)))
  for (const { room } of held) {
    vi.spyOn(room, 'look').mockImplementation(() => {
      const end = performance.now() + 3
      while (performance.now() < end);
      lookedAt.set(turn, (lookedAt.get(turn) ?? 0) + 1)
    })
  }
  await until(() => [...lookedAt.values()].reduce((sum, looks) => sum + looks, 0) >= 20)
  clearInterval(count)
  expect(Math.max(...lookedAt.values())).toBeLessThan(10)
})
