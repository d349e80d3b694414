/** What the tests of this folder share: stores without an editor, and documents that hear each other when told to. */

import { computed } from '@tldraw/state'
import { reverseRecordsDiff, Store } from '@tldraw/store'
import {
  createBindingId,
  createShapeId,
  createTLSchema,
  createUserId,
  type TLArrowBinding,
  type TLFrameShape,
  type TLGeoShape,
  type TLShapeId,
  type TLStore,
  toRichText,
  UserRecordType,
} from '@tldraw/tlschema'
import * as Y from 'yjs'
import { type Binding, type BindingOptions, bindStore } from './binding.ts'

export function makeStore(userName = 'Amber Otter'): TLStore {
  const user = UserRecordType.create({ id: createUserId(userName.toLowerCase().replace(' ', '-')), name: userName })
  const currentUser = computed('user', () => user)
  return new Store({
    schema: createTLSchema(),
    props: {
      defaultName: '',
      assets: {
        upload: () => Promise.reject(new Error('no uploads here')),
        resolve: () => null,
        remove: async () => {},
      },
      users: { currentUser, resolve: () => currentUser },
      onMount: () => {},
    },
  })
}

/** One page of a board: its store, its document, and the binding between them, flushed by hand. */
export interface Page {
  store: TLStore
  doc: Y.Doc
  binding: Binding
}

export function openPage(doc = new Y.Doc(), store = makeStore(), options: BindingOptions = {}): Page {
  return { store, doc, binding: bindStore(store, doc, { perFrame: byHand, ...options }) }
}

const byHand = () => ({ request() {}, cancel() {} })

/** Two pages of one board that holds one rectangle, `r`. */
export function twoPages() {
  const [alice, bob] = [openPage(), openPage()]
  alice.store.put([rectangle('r')])
  settle()
  function settle() {
    alice.binding.flush()
    bob.binding.flush()
    exchange(alice.doc, bob.doc)
  }
  return { alice, bob, settle }
}

/** Brings all documents to one state. Returns when nobody has news left for anybody. */
export function exchange(...docs: Y.Doc[]): void {
  let isNews = true
  while (isNews) {
    isNews = false
    for (const from of docs) {
      for (const to of docs) {
        if (from === to) continue
        const news = Y.encodeStateAsUpdate(from, Y.encodeStateVector(to))
        let changed = false
        const note = () => {
          changed = true
        }
        to.on('update', note)
        Y.applyUpdate(to, news, 'exchange')
        to.off('update', note)
        isNews ||= changed
      }
    }
  }
}

export const shapeId = (name: string): TLShapeId => createShapeId(name)

export function rectangle(name: string, over: Partial<TLGeoShape> = {}): TLGeoShape {
  return {
    id: shapeId(name),
    typeName: 'shape',
    type: 'geo',
    x: 0,
    y: 0,
    rotation: 0,
    index: 'a1' as TLGeoShape['index'],
    parentId: 'page:page' as TLGeoShape['parentId'],
    isLocked: false,
    opacity: 1,
    meta: {},
    props: {
      geo: 'rectangle',
      dash: 'draw',
      url: '',
      w: 100,
      h: 50,
      growY: 0,
      scale: 1,
      flipX: false,
      flipY: false,
      labelColor: 'black',
      color: 'black',
      fill: 'none',
      size: 'm',
      font: 'draw',
      align: 'middle',
      verticalAlign: 'middle',
      richText: toRichText(''),
    },
    ...over,
  }
}

/** 500 by 500. */
export function frame(name: string, over: Partial<TLFrameShape> = {}): TLFrameShape {
  const { props: _, ...basics } = rectangle(name)
  return { ...basics, type: 'frame', props: { w: 500, h: 500, name: '', color: 'black' }, ...over }
}

export const inside = (parent: string, name: string, over: Partial<TLGeoShape> = {}): TLGeoShape =>
  rectangle(name, { parentId: shapeId(parent), ...over })

/** What ties the end of an arrow (or whatever is given for one) to a shape. */
export function arrowEnd(name: string, from: string, to: string): TLArrowBinding {
  const props = {
    terminal: 'end',
    normalizedAnchor: { x: 0.5, y: 0.5 },
    isExact: false,
    isPrecise: false,
    snap: 'none',
  }
  return {
    id: createBindingId(name),
    typeName: 'binding',
    type: 'arrow',
    fromId: shapeId(from),
    toId: shapeId(to),
    props: props as TLArrowBinding['props'],
    meta: {},
  }
}

export function geo(store: TLStore, name: string): TLGeoShape | undefined {
  return store.get(shapeId(name)) as TLGeoShape | undefined
}

/** Changes one shape as a user does; the answer takes it back the way tldraw's undo does. */
export function edit(store: TLStore, name: string, change: (shape: TLGeoShape) => TLGeoShape): () => void {
  return undoable(store, () => store.update(shapeId(name), shape => change(shape as TLGeoShape)))
}

export function undoable(store: TLStore, act: () => void): () => void {
  const diff = store.extractingChanges(act)
  return () => store.applyDiff(reverseRecordsDiff(diff), { ignoreEphemeralKeys: true })
}

export const move = (x: number) => (shape: TLGeoShape) => ({ ...shape, x })

export const paint = (color: TLGeoShape['props']['color']) => (shape: TLGeoShape) => ({
  ...shape,
  props: { ...shape.props, color },
})
