/** What a store would give a replica, and people whose updates it holds. */
import * as Y from 'yjs'
import type { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'

/** A person's document, and the updates it made, in order. */
export function author(id: number) {
  const doc = new Y.Doc()
  doc.clientID = id
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const map = doc.getMap<unknown>('tldraw')
  return { doc, map, updates }
}

export function stored(
  rows: Record<number, Uint8Array> = {},
  snapshot?: StoredBoard['snapshot'],
  headSeq = Math.max(snapshot?.seq ?? 0, ...Object.keys(rows).map(Number)),
): StoredBoard {
  return {
    head: { epoch: 5, headSeq, bytes: 0, deleted: false },
    snapshot,
    rows: Object.entries(rows).map(([seq, data]) => ({ seq: Number(seq), actor: 'human:test', data, at: new Date() })),
  }
}

export const contentOf = (replica: Replica) => replica.doc.getMap('tldraw').toJSON()
