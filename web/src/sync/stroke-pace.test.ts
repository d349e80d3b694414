import type { TLDrawShape } from '@tldraw/tlschema'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { changeRecord, readRecord, recordsOf, removeRecord } from '../../../core/doc/record-layout.ts'
import { plain } from './plain.ts'
import { StrokePace } from './stroke-pace.ts'
import { edit, exchange, frame, geo, makeStore, move, openPage, rectangle, shapeId } from './testing.ts'

/** A line of this many points: tldraw takes 8 characters each. */
function line(points: number, over: Partial<TLDrawShape['props']> = {}): TLDrawShape {
  const { x, y, index, parentId, rotation, isLocked, opacity, meta, typeName } = rectangle('line')
  return {
    ...{ x, y, index, parentId, rotation, isLocked, opacity, meta, typeName },
    id: shapeId('line'),
    type: 'draw',
    props: {
      color: 'black',
      fill: 'none',
      dash: 'draw',
      size: 'm',
      segments: [{ type: 'free', path: 'AAAAAAAA'.repeat(points + 1) }],
      isComplete: false,
      isClosed: false,
      isPen: false,
      scale: 1,
      scaleX: 1,
      scaleY: 1,
      ...over,
    },
  }
}

/** A page on which a line is drawn, and the clock it goes by. */
function drawing() {
  const clock = { now: 0 }
  const frames: (() => void)[] = []
  const perFrame = (run: () => void) => ({ request: () => void frames.push(run), cancel() {} })
  const page = openPage(new Y.Doc(), makeStore(), { perFrame, pace: new StrokePace(() => clock.now) })
  const written = () =>
    readRecord(shapeId('line'), recordsOf(page.doc).get(shapeId('line')))?.props as TLDrawShape['props']
  return {
    ...page,
    clock,
    put: (shape: TLDrawShape) => page.store.put([shape]),
    frame: () => {
      for (const run of frames.splice(0)) run()
    },
    writtenChars: () => written().segments[0]?.path.length,
    written,
  }
}

describe('a line that is being drawn', () => {
  it('is written at once as it begins, and then the less often the longer it is', () => {
    const { put, frame, clock, writtenChars } = drawing()
    put(line(1))
    frame()
    expect(writtenChars()).toBe(16)
    let writes = 0
    for (let point = 2, last = 16; point < 300; point++) {
      clock.now += 1000 / 60
      put(line(point))
      frame()
      const now = writtenChars() ?? 0
      if (now !== last) writes++
      last = now
    }
    expect(writes).toBeGreaterThan(10)
    expect(writes).toBeLessThan(60)
  })

  it('keeps the points that wait when a peer deletes the frame it grows in', () => {
    const { store, doc, put, frame: nextFrame, writtenChars } = drawing()
    const inFrame = (points: number): TLDrawShape => ({ ...line(points), parentId: shapeId('f') })
    store.put([frame('f')])
    put(inFrame(200))
    nextFrame()
    put(inFrame(201))
    nextFrame()
    expect(writtenChars()).toBe(201 * 8)
    doc.transact(() => removeRecord(doc, shapeId('f')), 'a peer')
    const { parentId, props } = store.get(shapeId('line')) as TLDrawShape
    expect(parentId).toBe('page:page')
    expect([props.segments[0]?.path.length, writtenChars()]).toEqual([202 * 8, 202 * 8])
  })

  it('takes at most so many bytes per second, however long it gets', () => {
    const { put, frame, clock, doc } = drawing()
    let bytes = 0
    doc.on('update', update => {
      bytes += update.length
    })
    const seconds = 10
    for (let point = 1; point < 60 * seconds; point++) {
      clock.now += 1000 / 60
      put(line(point))
      frame()
    }
    expect(bytes / seconds).toBeLessThan(9_500)
  })

  it('is written whole with the frame in which the pen is lifted', () => {
    const { put, frame, binding, written, writtenChars } = drawing()
    put(line(500))
    frame()
    put(line(501))
    frame()
    expect(writtenChars()).toBe(501 * 8)
    expect(binding.hasWaiting).toBe(true)
    put(line(502, { isComplete: true }))
    frame()
    expect(writtenChars()).toBe(503 * 8)
    expect(written().isComplete).toBe(true)
    expect(binding.hasWaiting).toBe(false)
  })

  it('what waits is written when its time has come, though the pen rests', () => {
    const { put, frame, clock, writtenChars } = drawing()
    put(line(500))
    frame()
    put(line(501))
    frame()
    clock.now += 10_000
    frame()
    expect(writtenChars()).toBe(502 * 8)
  })

  it('and when the tab is left', () => {
    const { put, frame, binding, writtenChars } = drawing()
    put(line(500))
    frame()
    put(line(501))
    binding.flush()
    expect(writtenChars()).toBe(502 * 8)
  })

  it('a peer’s change of it does not cut off what waits', () => {
    const { put, frame, store, doc, writtenChars } = drawing()
    put(line(500))
    frame()
    const peer = new Y.Doc()
    exchange(doc, peer)
    put(line(501))
    frame()
    const before = plain(line(500))
    const props = { ...(before.props as object), color: 'red' }
    peer.transact(() => changeRecord(peer, before, { ...before, props }))
    exchange(doc, peer)
    const shown = store.get(shapeId('line')) as TLDrawShape
    expect([shown.props.color, shown.props.segments[0]?.path.length]).toEqual(['red', 502 * 8])
    expect(writtenChars()).toBe(502 * 8)
  })

  it('holds up nothing else', () => {
    const { put, frame, store, doc } = drawing()
    put(line(500))
    store.put([rectangle('r')])
    frame()
    put(line(501))
    edit(store, 'r', move(7))
    frame()
    const other = openPage()
    exchange(doc, other.doc)
    expect(geo(other.store, 'r')?.x).toBe(7)
  })
})
