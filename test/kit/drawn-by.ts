/** Documents as several people make them, for what has to hold for any document. */
import fc from 'fast-check'
import * as Y from 'yjs'

/** What several people make of one document: nested, overwritten, deleted, in texts and lists, with merges in between. */
export function drawnBy(people: number, steps: readonly [number, number, number][], bytes: number): Y.Doc {
  const docs = Array.from({ length: people }, (_, index) => {
    const doc = new Y.Doc()
    doc.clientID = 100 + index
    return doc
  })
  for (const [who, what, where] of steps) {
    const doc = docs[who % people] as Y.Doc
    const map = doc.getMap<unknown>('tldraw')
    const list = doc.getArray<unknown>('list')
    const text = doc.getText('text')
    if (what === 0) map.set(`shape:${where}`, new Y.Map([['base', 'x'.repeat(bytes)]]))
    else if (what === 1) (map.get(`shape:${where}`) as Y.Map<unknown> | undefined)?.set('place', [where, who])
    else if (what === 2) map.delete(`shape:${where}`)
    else if (what === 3) list.insert(where % (list.length + 1), [{ where, who }])
    else if (what === 4 && list.length > 0) list.delete(where % list.length, 1)
    else if (what === 5) text.insert(where % (text.length + 1), 'text'.repeat(where + 1))
    else if (what === 6 && text.length > 3) text.delete(where % (text.length - 3), 3)
    else if (what === 7) Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[where % people] as Y.Doc))
  }
  const all = new Y.Doc()
  for (const doc of docs) Y.applyUpdate(all, Y.encodeStateAsUpdate(doc))
  return all
}

export const contentOf = (doc: Y.Doc) => [
  doc.getMap('tldraw').toJSON(),
  doc.getArray('list').toJSON(),
  doc.getText('text').toString(),
]

/** Who does what, where: see {@link drawnBy}. */
export const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(7), fc.nat(12)), { maxLength: 120 })
