/**
 * Shapes of the document that lie in each other all round, or in themselves: two people have each put theirs into the
 * other's. Nothing in such a ring lies on a page; `loose-ends.ts` shows it opened at the shape with the smallest id.
 *
 * A ring longer than tldraw's shapes may be deep is none here: opened, it could not be shown either.
 */
import { isShapeId } from '@tldraw/tlschema'
import type * as Y from 'yjs'
import { deepestShape } from '../../../core/doc/record-hazard.ts'
import { readParentAndIndex, recordsOf } from '../../../core/doc/record-layout.ts'

export interface Ring {
  ids: string[]
  least: string
}

/** By their smallest ids. */
export type Rings = ReadonlyMap<string, Ring>

/** The ring that this shape is part of. */
export function ringWith(doc: Y.Doc, id: string): Ring | undefined {
  const records = recordsOf(doc)
  const parentOf = (shape: string) => readParentAndIndex(records.get(shape))?.parentId
  if (!isShapeId(id)) return undefined
  const ids: string[] = [id]
  let least: string = id
  for (let parent = parentOf(id); typeof parent === 'string' && isShapeId(parent); parent = parentOf(parent)) {
    if (parent === id) return { ids, least }
    if (parent < least) least = parent
    if (ids.push(parent) > deepestShape) return undefined
  }
  return undefined
}

export function ringsAmong(doc: Y.Doc, ids: Iterable<string>): Rings {
  const rings = new Map<string, Ring>()
  for (const id of ids) {
    const ring = ringWith(doc, id)
    if (ring) rings.set(ring.least, ring)
  }
  return rings
}
