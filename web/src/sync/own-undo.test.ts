import { reverseRecordsDiff } from '@tldraw/store'
import {
  CameraRecordType,
  InstancePageStateRecordType,
  PageRecordType,
  type TLGeoShape,
  toRichText,
} from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import { describe, expect, it } from 'vitest'
import {
  arrowEnd,
  edit,
  frame,
  geo,
  inside,
  move,
  type Page,
  paint,
  rectangle,
  shapeId,
  twoPages,
  undoable,
} from './testing.ts'

describe('undo takes back only what this user did', () => {
  it('not the field that a peer changed since', () => {
    const { alice, bob, settle } = twoPages()
    const undo = edit(alice.store, 'r', move(300))
    settle()
    edit(bob.store, 'r', paint('red'))
    settle()
    undo()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 'r')).toMatchObject({ x: 0, props: { color: 'red' } })
  })

  it('not a field that a peer changed in the middle of the user’s own step', () => {
    const { alice, bob, settle } = twoPages()
    const before = rectangle('r')
    edit(alice.store, 'r', move(100))
    settle()
    edit(bob.store, 'r', paint('red'))
    settle()
    edit(alice.store, 'r', move(200))
    const after = rectangle('r', { x: 200, props: { ...before.props, color: 'red' } })
    alice.store.applyDiff({ added: {}, updated: { [before.id]: [after, before] }, removed: {} })
    settle()
    expect(geo(bob.store, 'r')).toMatchObject({ x: 0, props: { color: 'red' } })
  })

  it('and it does take back a field that the user overwrote after the peer', () => {
    const { alice, bob, settle } = twoPages()
    edit(bob.store, 'r', paint('red'))
    settle()
    const undo = edit(alice.store, 'r', paint('blue'))
    settle()
    undo()
    settle()
    expect(geo(bob.store, 'r')?.props.color).toBe('red')
  })

  it('also where the user came back to the very value the peer had left', () => {
    const { alice, bob, settle } = twoPages()
    edit(bob.store, 'r', paint('red'))
    settle()
    edit(alice.store, 'r', paint('blue'))
    settle()
    const undo = edit(alice.store, 'r', paint('red'))
    settle()
    undo()
    expect(geo(alice.store, 'r')?.props.color).toBe('blue')
  })

  it('and never brings back what a peer deleted', () => {
    const { alice, bob, settle } = twoPages()
    const undo = edit(alice.store, 'r', move(300))
    settle()
    bob.store.remove([shapeId('r')])
    settle()
    undo()
    settle()
    expect(geo(alice.store, 'r')).toBeUndefined()
    expect(geo(bob.store, 'r')).toBeUndefined()
  })

  it('nor puts anything into what a peer has put into it', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f', { x: 100 }), frame('g', { x: 10, parentId: shapeId('f') })])
    settle()
    const undo = edit(alice.store, 'g', shape => paint('red')({ ...shape, x: 700, parentId: rectangle('').parentId }))
    settle()
    edit(bob.store, 'f', shape => ({ ...shape, x: 20, parentId: shapeId('g') }))
    settle()
    undo()
    const places = { f: { x: 20, parentId: shapeId('g') }, g: { x: 700, parentId: rectangle('').parentId } }
    expect(geo(alice.store, 'f')).toMatchObject(places.f)
    expect(geo(alice.store, 'g')).toMatchObject({ ...places.g, props: { color: 'black' } })
    settle()
    expect([geo(bob.store, 'f'), geo(bob.store, 'g')]).toEqual([geo(alice.store, 'f'), geo(alice.store, 'g')])
  })

  it('yet turns over again what the user has turned over', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f'), frame('g', { parentId: shapeId('f') })])
    settle()
    const undo = undoable(alice.store, () => {
      edit(alice.store, 'g', shape => ({ ...shape, parentId: rectangle('').parentId }))
      edit(alice.store, 'f', shape => ({ ...shape, parentId: shapeId('g') }))
    })
    settle()
    undo()
    settle()
    for (const { store } of [alice, bob]) {
      expect(geo(store, 'f')?.parentId).toBe(rectangle('').parentId)
      expect(geo(store, 'g')?.parentId).toBe(shapeId('f'))
    }
  })

  it('but brings back what the user deleted', () => {
    const { alice, bob, settle } = twoPages()
    const undo = undoable(alice.store, () => alice.store.remove([shapeId('r')]))
    settle()
    undo()
    settle()
    expect(geo(bob.store, 'r')).toEqual(rectangle('r'))
  })
})

describe('what a peer deleted', () => {
  it('does not come back by undoing and redoing its creation', () => {
    const { alice, bob, settle } = twoPages()
    const creation = alice.store.extractingChanges(() => alice.store.put([rectangle('s')]))
    settle()
    bob.store.remove([shapeId('s')])
    settle()
    alice.store.applyDiff({ added: {}, updated: {}, removed: creation.added })
    alice.store.applyDiff(creation)
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toBeUndefined()
  })

  it('does come back when the peer undoes the deletion, and is then undone like anything else', () => {
    const { alice, bob, settle } = twoPages()
    const undoMove = edit(alice.store, 'r', move(300))
    settle()
    const bobUndoes = undoable(bob.store, () => bob.store.remove([shapeId('r')]))
    settle()
    bobUndoes()
    settle()
    expect(geo(alice.store, 'r')?.x).toBe(300)
    undoMove()
    settle()
    expect(geo(bob.store, 'r')?.x).toBe(0)
    const undoDeletion = undoable(alice.store, () => alice.store.remove([shapeId('r')]))
    settle()
    undoDeletion()
    settle()
    expect(geo(bob.store, 'r')).toBeDefined()
  })

  const all = ({ store }: Page) => store.allRecords().map(({ id }) => id)

  it('takes with it what an undo would put inside', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f'), inside('f', 'child')])
    settle()
    const undo = undoable(alice.store, () => alice.store.remove([shapeId('child')]))
    settle()
    bob.store.remove([shapeId('f')])
    settle()
    undo()
    settle()
    for (const page of [alice, bob]) expect(all(page)).not.toContain(shapeId('child'))
  })

  it('does not get back what an undo would move inside', () => {
    const { alice, bob, settle } = twoPages()
    alice.store.put([frame('f'), inside('f', 'child')])
    settle()
    const undo = edit(alice.store, 'child', shape => ({ ...shape, x: 900, parentId: 'page:page' as never }))
    settle()
    bob.store.remove([shapeId('f')])
    settle()
    undo()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 'child')).toMatchObject({ x: 900, parentId: 'page:page' })
  })

  it('leaves no end of an arrow that points at it', () => {
    const { alice, bob, settle } = twoPages()
    const binding = arrowEnd('b', 's', 'r')
    alice.store.put([rectangle('s'), binding])
    settle()
    const undo = undoable(alice.store, () => alice.store.remove([shapeId('s'), binding.id]))
    settle()
    bob.store.remove([shapeId('r')])
    settle()
    undo()
    settle()
    for (const page of [alice, bob]) {
      expect(all(page)).toContain(shapeId('s'))
      expect(all(page)).not.toContain(binding.id)
    }
  })

  it('a creation is not taken back while a peer’s work lies in it', () => {
    const { alice, bob, settle } = twoPages()
    const undo = undoable(alice.store, () => alice.store.put([frame('f')]))
    settle()
    bob.store.put([inside('f', 'bobs')])
    settle()
    undo()
    settle()
    for (const page of [alice, bob]) expect(all(page)).toEqual(expect.arrayContaining([shapeId('f'), shapeId('bobs')]))
    bob.store.remove([shapeId('bobs')])
    settle()
    undo()
    settle()
    for (const page of [alice, bob]) expect(all(page)).not.toContain(shapeId('f'))
  })

  it('nor while a peer’s words stand in it', () => {
    const { alice, bob, settle } = twoPages()
    const undo = undoable(alice.store, () => alice.store.put([frame('f'), inside('f', 's')]))
    settle()
    edit(bob.store, 's', write('Bob'))
    settle()
    undo()
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')?.props.richText).toEqual(toRichText('Bob'))
    for (const page of [alice, bob]) expect(all(page)).toContain(shapeId('f'))
    edit(bob.store, 's', write(''))
    settle()
    undo()
    settle()
    for (const page of [alice, bob]) expect(all(page)).not.toContain(shapeId('s'))
  })

  describe('a new page is not taken back', () => {
    const second = PageRecordType.create({
      id: PageRecordType.createId('second'),
      name: 'Page 2',
      index: 'a2' as IndexKey,
    })
    const camera = CameraRecordType.create({ id: CameraRecordType.createId(second.id) })
    const state = InstancePageStateRecordType.create({
      id: InstancePageStateRecordType.createId(second.id),
      pageId: second.id,
    })
    const ids = [second.id, camera.id, state.id]

    it('while a peer’s shapes are on it, and is when they are gone', () => {
      const { alice, bob, settle } = twoPages()
      const undo = undoable(alice.store, () => alice.store.put([second, camera, state]))
      settle()
      bob.store.put([rectangle('bobs', { parentId: second.id })])
      settle()
      undo()
      settle()
      expect(all(alice)).toEqual(expect.arrayContaining([...ids, shapeId('bobs')]))
      expect(all(bob)).toEqual(expect.arrayContaining([second.id, shapeId('bobs')]))
      bob.store.remove([shapeId('bobs')])
      settle()
      undo()
      settle()
      for (const id of ids) expect(all(alice)).not.toContain(id)
      expect(all(bob)).not.toContain(second.id)
    })

    it('while a peer’s shape lies in a frame on it that goes with the page', () => {
      const { alice, bob, settle } = twoPages()
      const onSecond = { ...frame('f'), parentId: second.id }
      const undo = undoable(alice.store, () =>
        alice.store.put([second, onSecond, rectangle('s', { parentId: second.id })]),
      )
      settle()
      bob.store.put([inside('f', 'bobs')])
      settle()
      undo()
      settle()
      for (const page of [alice, bob]) {
        expect(all(page)).toEqual(expect.arrayContaining([second.id, shapeId('f'), shapeId('bobs')]))
        expect(all(page)).not.toContain(shapeId('s'))
      }
    })
  })
})

describe('redo', () => {
  it('brings a shape back with what a peer had changed of it before undo took it away', () => {
    const { alice, bob, settle } = twoPages()
    const creation = alice.store.extractingChanges(() => alice.store.put([rectangle('s')]))
    settle()
    edit(bob.store, 's', shape => paint('red')(move(70)(shape)))
    settle()
    alice.store.applyDiff(reverseRecordsDiff(creation))
    settle()
    expect(geo(bob.store, 's')).toBeUndefined()
    alice.store.applyDiff(creation)
    settle()
    for (const { store } of [alice, bob]) expect(geo(store, 's')).toMatchObject({ x: 70, props: { color: 'red' } })
  })

  it('takes away again what the user had deleted, with the words of a peer that stood in it then', () => {
    const { alice, bob, settle } = twoPages()
    edit(bob.store, 'r', write('Bob'))
    settle()
    const deletion = alice.store.extractingChanges(() => alice.store.remove([shapeId('r')]))
    settle()
    alice.store.applyDiff(reverseRecordsDiff(deletion))
    settle()
    expect(geo(bob.store, 'r')?.props.richText).toEqual(toRichText('Bob'))
    alice.store.applyDiff(deletion)
    settle()
    expect(geo(bob.store, 'r')).toBeUndefined()
  })
})

const write = (words: string) => (shape: TLGeoShape) => ({
  ...shape,
  props: { ...shape.props, richText: toRichText(words) },
})
