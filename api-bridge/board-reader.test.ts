import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as Y from 'yjs'
import { parseBoardId } from '../core/contract/board-id.ts'
import type { Storage } from '../core/store/storage.ts'
import type { Stoppable } from '../test/kit/releasing.ts'
import { embeddedStorage } from '../test/kit/site.ts'
import { turnsIn } from '../test/kit/turns.ts'
import { BoardReader } from './board-reader.ts'
import { EventFeed } from './event-feed.ts'

let storage: Storage & Stoppable
beforeAll(async () => {
  storage = await embeddedStorage()
})
afterAll(() => storage.stop())

async function drawn(name: string, shapes: number) {
  const board = parseBoardId(name)
  const { epoch } = await storage.boards.create(board)
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const edit = async (change: (map: Y.Map<unknown>) => void) => {
    doc.transact(() => change(doc.getMap('tldraw')))
    const entries = updates.splice(0).map(data => ({ actor: 'human:ann' as const, data }))
    return (await storage.boards.append(randomUUID(), [{ board, entries }])).get(board)?.lastSeq ?? 0
  }
  const store = async (seq: number) => {
    await storage.archive.save(board, epoch, seq, Y.encodeStateAsUpdateV2(doc))
    await storage.archive.pack(board)
  }
  const seq = await edit(map => {
    for (let index = 0; index < shapes; index++) map.set(`shape:${index}`, { text: 'x'.repeat(100) })
  })
  await store(seq)
  return { board, doc, edit, store }
}

const contentOf = (doc: Y.Doc) => doc.getMap('tldraw').toJSON()

test('a big board is read while other work gets its turn', async () => {
  const { board, doc } = await drawn('big', 10_000)
  const reader = new BoardReader(storage)
  const turns = await turnsIn(() => reader.read(board, () => undefined))
  expect(turns).toBeGreaterThan(3_000)
  await reader.read(board, replica => {
    expect(replica.rests).toBe(false)
    expect(contentOf(replica.doc)).toEqual(contentOf(doc))
  })
})

test('its events too', async () => {
  const { board } = await drawn('big-events', 10_000)
  const turns = await turnsIn(() => EventFeed.open(board, storage, () => {}))
  expect(turns).toBeGreaterThan(5_000)
})

test('what was read before is brought up to date, also past rows that have left the log', async () => {
  const { board, doc, edit, store } = await drawn('small', 3)
  const reader = new BoardReader(storage)
  const first = await reader.read(board, replica => replica)
  await edit(map => map.set('shape:new', 1))
  await reader.read(board, second => {
    expect(second).toBe(first)
    expect(contentOf(second.doc)).toEqual(contentOf(doc))
  })
  await store(await edit(map => map.delete('shape:0')))
  await edit(map => map.set('shape:newer', 2))
  const third = await reader.read(board, replica => [replica.known, contentOf(replica.doc)])
  expect(third).toEqual([4, contentOf(doc)])
})

test('stays as it is while somebody reads it, and tells the next of what came meanwhile', async () => {
  const { board, doc, edit } = await drawn('held', 3)
  const reader = new BoardReader(storage)
  const before = contentOf(doc)
  const told: unknown[] = []
  let finish = () => {}
  let slow: Promise<unknown> | undefined
  await new Promise<void>(begun => {
    slow = reader.read(board, async replica => {
      const finished = new Promise<void>(resolve => {
        finish = resolve
      })
      begun()
      await finished
      told.push(contentOf(replica.doc))
    })
  })
  await edit(map => map.set('shape:new', 1))
  const next = reader.read(board, replica => told.push(contentOf(replica.doc)))
  // What it does meanwhile is to wait: another board is read from the store.
  await reader.read((await drawn('other', 3)).board, () => undefined)
  expect(told).toEqual([])
  finish()
  await Promise.all([slow, next])
  expect(told).toEqual([before, contentOf(doc)])
})

test('what fails in one reading is told there, and harms no other', async () => {
  const { board, doc } = await drawn('failing', 3)
  const reader = new BoardReader(storage)
  const failing = reader.read(board, () => {
    throw new Error('of this one')
  })
  const other = reader.read(board, replica => contentOf(replica.doc))
  await expect(failing).rejects.toThrow('of this one')
  expect(await other).toEqual(contentOf(doc))
})
