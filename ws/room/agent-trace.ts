/** Where a change was made and by whom, as far as it says so itself: what is shown of its agent. Pure. */
import type * as Y from 'yjs'
import type { ChangeOutcome } from '../../core/contract/change.ts'
import type { PresentPeer } from '../../core/contract/present-peer.ts'
import { BoardRecords } from '../../core/doc/board-records.ts'
import { pageBox } from '../../core/doc/page-box.ts'
import { deepestShape } from '../../core/doc/record-hazard.ts'
import { shapeIdOf } from '../../core/doc/record-ids.ts'

const selectedAtMost = 20

export interface Trace extends Pick<PresentPeer, 'cursor' | 'selection'> {
  /** The id of the page's record. */
  page?: string
}

/** @param change as it was stored; what is decided has been checked before */
export function createdByIn(change: string): string | undefined {
  // An import may be megabytes, and names nobody.
  if (!change.includes('"created_by"')) return undefined
  const { item, operations } = JSON.parse(change) as Naming & { operations?: Naming[] }
  const names = [item, ...(operations ?? []).map(operation => operation.item)].map(one => one?.created_by)
  return names.findLast(name => typeof name === 'string')
}

interface Naming {
  item?: { created_by?: unknown }
}

/** At the last item it touched that is still there; nowhere where there is none. */
export function traceOf(doc: Y.Doc, outcome: ChangeOutcome): Trace {
  const touched = touchedBy(outcome)
  const last = touched.at(-1)
  if (last === undefined) return {}
  const records = new BoardRecords(doc)
  const shape = records.record(shapeIdOf(last))
  const box = shape && pageBox(records, shape)
  const page = pageOf(records, shapeIdOf(last))
  return {
    selection: touched.slice(-selectedAtMost),
    // Its corner: there a cursor hides nothing.
    ...(box && { cursor: { x: box.maxX, y: box.maxY } }),
    ...(page !== undefined && { page }),
  }
}

function touchedBy(outcome: ChangeOutcome): string[] {
  if (outcome.status === 'rejected') return []
  const items = [outcome.item, ...(outcome.results ?? []).map(({ item }) => item)]
  return [...new Set(items.flatMap(item => item?.id ?? []))]
}

function pageOf(records: BoardRecords, id: string): string | undefined {
  let parent: unknown = id
  for (let depth = 0; depth < deepestShape && typeof parent === 'string'; depth++) {
    if (parent.startsWith('page:')) return parent
    parent = records.record(parent)?.parentId
  }
  return undefined
}
