/** Edits made beforehand: each writer drags a shape of its own, one Yjs transaction per step, as the page writes it. */
import * as Y from 'yjs'

export interface Writer {
  readonly client: number
  readonly doc: Y.Doc
  /** V1 updates in order; the first creates the shape. */
  readonly updates: readonly Uint8Array[]
  /** The writer's clock after each. */
  readonly clocks: readonly number[]
}

export function makeWriter(client: number, steps: number): Writer {
  const doc = new Y.Doc()
  doc.clientID = client
  const updates: Uint8Array[] = []
  const clocks: number[] = []
  doc.on('update', (update: Uint8Array) => {
    updates.push(update)
    clocks.push(Y.getState(doc.store, client))
  })
  const id = `shape:${client}`
  const shape = new Y.Map<unknown>()
  doc.transact(() => {
    doc.getMap('tldraw').set(id, shape)
    shape.set('base', recordOf(id))
  })
  for (let step = 1; step < steps; step++) shape.set('place', [100.25 + step, 200.5 - step, 0, 'page:page', 'a1'])
  return { client, doc, updates, clocks }
}

/** A note as tldraw has it: about 450 bytes. */
export const recordOf = (id: string): Record<string, unknown> => ({
  id,
  typeName: 'shape',
  type: 'note',
  x: 100.25,
  y: 200.5,
  rotation: 0,
  index: 'a1',
  parentId: 'page:page',
  isLocked: false,
  opacity: 1,
  props: {
    color: 'yellow',
    labelColor: 'black',
    size: 'm',
    font: 'draw',
    fontSizeAdjustment: 1,
    align: 'middle',
    verticalAlign: 'middle',
    growY: 0,
    url: '',
    richText: { type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: `what ${id} says` }] }] },
    scale: 1,
    textLastEditedBy: null,
  },
  meta: {},
})

/** What the board is to hold in the end. */
export function contentOf(docs: readonly Y.Doc[]): string {
  const all = new Y.Doc()
  for (const doc of docs) Y.applyUpdate(all, Y.encodeStateAsUpdate(doc))
  return contentOfDoc(all)
}

/** The same for equal boards: keys sorted. */
export function contentOfDoc(doc: Y.Doc): string {
  const records = doc.getMap('tldraw').toJSON()
  return JSON.stringify(
    Object.keys(records)
      .sort()
      .map(id => [id, records[id]]),
  )
}
