/** The items of a board: what its document holds, read as items, and changes to them decided and applied. */
import type * as Y from 'yjs'
import { slices } from '../base/slices.ts'
import { firstBehind } from '../base/sorted.ts'
import type { BoardChange, ChangeOutcome } from '../contract/change.ts'
import type { Item, ItemType } from '../contract/item.ts'
import { decideImport } from './board-import.ts'
import { BoardIndex } from './board-index.ts'
import { BoardRecords } from './board-records.ts'
import { decideBatch } from './item-batch.ts'
import { decideItemChange } from './item-change.ts'
import { pageBox } from './page-box.ts'
import { type Box, touch } from './plane.ts'
import { itemIdOf, shapeIdOf } from './record-ids.ts'
import { shapeAt } from './record-to-item.ts'
import { resultInSteps, type Steps } from './steps.ts'

/** A change as it was decided. `write` writes it to the document, which has to be as it was then; what was refused is nothing. */
export interface Decision {
  outcome: ChangeOutcome
  write(): void
}

/**
 * Decides a change, in steps; the document stays as it is, and has to meanwhile. Here and nowhere else is decided whether an
 * item exists, is still what the agent saw, and would be something tldraw accepts.
 * @param othersTurn is awaited between steps: default, others get their turn where they have taken long
 * @throws what `othersTurn` throws
 */
export const decideChange = (doc: Y.Doc, change: BoardChange, othersTurn?: () => Promise<void>): Promise<Decision> =>
  resultInSteps(deciding(doc, change), othersTurn)

export function* deciding(doc: Y.Doc, change: BoardChange): Steps<Decision> {
  const records = new BoardRecords(doc)
  const outcome = yield* decide(records, change)
  return { outcome, write: () => (outcome.status === 'applied' ? records.commit() : undefined) }
}

/** What would become of it; the document stays as it is, and has to meanwhile. */
export const foresee = async (doc: Y.Doc, change: BoardChange): Promise<ChangeOutcome> =>
  (await decideChange(doc, change)).outcome

function decide(records: BoardRecords, change: BoardChange): Steps<ChangeOutcome> {
  if (change.action === 'import') return decideImport(records, change)
  return change.action === 'batch' ? decideBatch(records, change) : decideItemChange(records, change)
}

/** The item with this id, a person's shape included; undefined where there is none or tldraw would reject its record. */
export function readItem(doc: Y.Doc, id: string): Item | undefined {
  return shapeAt(new BoardRecords(doc), id)?.item
}

export interface ItemFilter {
  type?: ItemType | undefined
  /** What touches it, in the coordinates of the page. */
  box?: Box | undefined
}

/**
 * The items behind this id, sorted by id. Each is read when it is asked for, so a page of a big board costs little; others get
 * their turn while it looks for the next. The document has to stay as it is meanwhile.
 */
export async function* itemsAfter(doc: Y.Doc, after: string, { type, box }: ItemFilter = {}): AsyncGenerator<Item> {
  const records = new BoardRecords(doc)
  const ids = await BoardIndex.of(doc).sortedShapes()
  for (let next = firstBehind(ids, shapeIdOf(after)); next < ids.length; next++) {
    const shape = shapeAt(records, itemIdOf(ids[next] as string))
    const fits =
      shape && (type === undefined || shape.item.type === type) && (!box || touches(records, shape.record, box))
    if (fits) yield shape.item
    if (slices.mustStop()) await slices.next()
  }
}

function touches(records: BoardRecords, shape: Parameters<typeof pageBox>[1], box: Box): boolean {
  const covered = pageBox(records, shape)
  return covered !== undefined && touch(covered, box)
}
