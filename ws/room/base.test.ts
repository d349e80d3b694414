import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { Replica } from '../../core/doc/replica.ts'
import { collectGarbage } from '../../test/kit/garbage.ts'
import { until } from '../../test/kit/until.ts'
import { decodeFrame } from '../protocol/frames.ts'
import { Base } from './base.ts'
import { CommitLine } from './commit-line.ts'

const head = { epoch: 1, headSeq: 0, bytes: 0, deleted: false }

/** A board whose edits are committed when the test says; what is committed is passed on, as a room does it. */
function begin() {
  const replica = new Replica({ head, snapshot: undefined, rows: [] })
  const line: CommitLine = new CommitLine(
    parseBoardId('board'),
    {
      known: () => 0,
      onGivenUp: () => {},
      onCommitted: (_, updates) => {
        for (const update of updates) base.follow(frameOf(update))
      },
    },
    () => {},
  )
  const size = { bytes: 0 }
  const base = new Base(replica, line, size, work => line.turn(work))
  const author = new Y.Doc()
  const edit = (key: string, bytes = 10) => {
    let update: Uint8Array = new Uint8Array()
    author.once('update', (given: Uint8Array) => {
      update = given
    })
    author.getMap('tldraw').set(key, 'x'.repeat(bytes))
    replica.apply(update, 'author')
    line.enqueue(update, 'human:author')
  }
  const commit = () => {
    line.take()
    line.settle({ epoch: 1, firstSeq: 1, lastSeq: 1 })
  }
  return { base, size, line, edit, commit }
}

/** `[0, 2, length, update]` */
function frameOf(update: Uint8Array): Uint8Array {
  const length: number[] = []
  let rest = update.length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80)
  return Uint8Array.from([0, 2, ...length, rest, ...update])
}

/** A joiner with nothing, as far as it has been told. */
function joiner(base: Base) {
  const doc = new Y.Doc()
  const own = { doc, frames: [] as Uint8Array[], synced: false }
  base.give(frames => {
    for (const bytes of frames) {
      const frame = decodeFrame(bytes)
      if (frame.kind === 'update' || frame.kind === 'sync-step-2') Y.applyUpdate(doc, frame.update)
      if (frame.kind === 'sync-step-2') own.synced = true
      own.frames.push(bytes)
    }
  })
  return own
}

const keysOf = (doc: Y.Doc) => [...doc.getMap('tldraw').keys()].sort()

test('joiners share one encoding of the board; what was committed since comes behind it, step 2 last', () => {
  const { base, edit, commit } = begin()
  edit('a', 1_000)
  commit()
  const first = joiner(base)
  edit('b')
  commit()
  edit('c')
  commit()
  const [second, third] = [joiner(base), joiner(base)]
  expect(keysOf(first.doc)).toEqual(['a'])
  expect(keysOf(second.doc)).toEqual(['a', 'b', 'c'])
  expect(second.synced && third.synced).toBe(true)
  expect(second.frames[0]).toBe(first.frames[0])
  expect(third.frames.every((frame, index) => frame === second.frames[index])).toBe(true)
})

test('a joiner waits for no commit, and gets nothing that is not committed', () => {
  const { base, edit, commit } = begin()
  edit('a', 1_000)
  commit()
  joiner(base)
  edit('b')
  const second = joiner(base)
  expect(second.synced).toBe(true)
  expect(keysOf(second.doc)).toEqual(['a'])
})

test('a base that was made beside an uncommitted edit is kept back until that is committed', () => {
  const { base, edit, commit } = begin()
  edit('a')
  const [first, second] = [joiner(base), joiner(base)]
  expect(first.frames).toEqual([])
  commit()
  expect(keysOf(first.doc)).toEqual(['a'])
  expect(keysOf(second.doc)).toEqual(['a'])
  expect(second.synced).toBe(true)
})

test('when much was committed since, the base is made anew', () => {
  const { base, edit, commit } = begin()
  edit('a', 1_000)
  commit()
  const first = joiner(base)
  edit('b', 1_000)
  commit()
  const second = joiner(base)
  expect(second.frames[0]).not.toBe(first.frames[0])
  expect(second.frames).toHaveLength(2)
  expect(keysOf(second.doc)).toEqual(['a', 'b'])
})

test('nothing is kept of what nobody is given any more, however long the board is drawn on', async () => {
  const { base, edit, commit } = begin()
  edit('a', 1_000)
  commit()
  joiner(base)
  const kept = Array.from({ length: 20 }, () => {
    const frame = frameOf(new Uint8Array(1_000))
    base.follow(frame)
    return new WeakRef(frame)
  })
  // A weak reference holds what it names until the turn is over.
  await setImmediate()
  collectGarbage()
  expect(kept.filter(frame => frame.deref())).toEqual([])
})

test('a big board is cut in a turn, while its edits wait; all who come meanwhile get the same', async () => {
  const { base, size, line, edit, commit } = begin()
  for (const key of ['a', 'b', 'c']) edit(key, 200_000)
  commit()
  size.bytes = 600_000
  const [first, second] = [joiner(base), joiner(base)]
  expect(first.frames).toEqual([])
  line.admit(10, () => edit('d'))
  await until(() => second.synced)
  commit()
  const third = joiner(base)
  expect([first, second, third].map(({ doc }) => keysOf(doc))).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'd'],
  ])
  expect(first.frames.length).toBeGreaterThan(2)
  expect(first.frames.every((frame, index) => frame === second.frames[index])).toBe(true)
  expect(third.frames[0]).toBe(first.frames[0])
})
