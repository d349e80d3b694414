/** What each row of a board's log did to its items: which came into being, changed, or went. */
import { eachInSlices } from '../base/slices.ts'
import type { Item } from '../contract/item.ts'
import type { LogRow } from '../store/board-log.ts'
import { BoardRecords } from './board-records.ts'
import { Groups } from './groups.ts'
import { itemEtag } from './item-etag.ts'
import { isShapeId, itemIdOf } from './record-ids.ts'
import { changedIn, type PlainRecord, recordsOf } from './record-layout.ts'
import { readShape, shapeAt } from './record-to-item.ts'
import type { Replica } from './replica.ts'

export type ItemEvent =
  | { type: 'item.created'; item: Item }
  | { type: 'item.updated'; item: Item }
  | { type: 'item.deleted'; id: string }

export class ItemTracker {
  readonly replica: Replica
  /** Each item as it last was: by id, its ETag. */
  readonly #tags = new Map<string, string>()
  /** What an item is read from beside its own shape: an arrow's bindings, a picture's asset. Record id → shape ids. */
  readonly #dependents = new Groups()
  /** The same the other way about, to be let go of: by record id, the shape and what it depends on. */
  readonly #links = new Map<string, Link>()
  readonly #touched = new Set<string>()

  private constructor(replica: Replica) {
    this.replica = replica
    recordsOf(replica.doc).observeDeep(events => {
      for (const event of events) for (const id of changedIn(event)) this.#touched.add(id)
    })
  }

  /** Knows the items that the replica holds now. The replica is its own from then on. */
  static async of(replica: Replica): Promise<ItemTracker> {
    await replica.wakeToRead()
    const tracker = new ItemTracker(replica)
    const records = new BoardRecords(replica.doc)
    await eachInSlices(recordsOf(replica.doc).keys(), id => {
      const record = records.record(id)
      tracker.#link(id, record)
      if (isShapeId(id)) tracker.#compare(itemIdOf(id), record && readShape(record, records)?.item)
    })
    return tracker
  }

  /**
   * Applies the next row of the log.
   * @returns what it did, by item id; nothing for what agents cannot see
   * @throws Error when Yjs cannot read the row; the tracker is then not to be used again
   */
  absorb(row: LogRow, epoch: number): ItemEvent[] {
    this.#touched.clear()
    const head = { epoch, headSeq: row.seq, bytes: 0, deleted: false }
    this.replica.absorb({ head, snapshot: undefined, rows: [row] })
    const records = new BoardRecords(this.replica.doc)
    const shapes = new Set<string>()
    for (const id of this.#touched) {
      if (isShapeId(id)) {
        shapes.add(id)
        for (const arrow of this.#endingAt(id, records)) shapes.add(arrow)
      }
      for (const dependent of this.#dependents.of(id)) shapes.add(dependent)
      for (const dependent of this.#link(id, records.record(id))) shapes.add(dependent)
    }
    const items = [...shapes].sort().map(itemIdOf)
    return items.flatMap(id => this.#compare(id, shapeAt(records, id)?.item) ?? [])
  }

  /** The arrows that gain or lose an end by this shape; not those that merely follow it, which may be many. */
  #endingAt(id: string, records: BoardRecords): string[] {
    if (this.#tags.has(itemIdOf(id)) && records.record(id)) return []
    return records
      .bindingsOf(id)
      .map(({ fromId }) => fromId)
      .filter(isShapeId)
  }

  /** Remembers whose item this record belongs to, instead of whose it did. @returns the shapes that it does */
  #link(id: string, record: PlainRecord | undefined): string[] {
    const before = this.#links.get(id)
    if (before) this.#dependents.remove(before.shape, before.on)
    const link = linkOf(id, record)
    if (link) {
      this.#links.set(id, link)
      this.#dependents.add(link.shape, link.on)
    } else this.#links.delete(id)
    return link && link.shape !== id ? [link.shape] : []
  }

  #compare(id: string, item: Item | undefined): ItemEvent | undefined {
    const before = this.#tags.get(id)
    if (!item) return this.#tags.delete(id) ? { type: 'item.deleted', id } : undefined
    const tag = itemEtag(item)
    if (tag === before) return undefined
    this.#tags.set(id, tag)
    return { type: before === undefined ? 'item.created' : 'item.updated', item }
  }
}

interface Link {
  shape: string
  on: string
}

/** An arrow depends on its bindings, a picture on its asset. */
function linkOf(id: string, record: PlainRecord | undefined): Link | undefined {
  if (record?.typeName === 'binding' && typeof record.fromId === 'string') return { shape: record.fromId, on: id }
  const props = record?.typeName === 'shape' && typeof record.props === 'object' ? record.props : undefined
  return props && 'assetId' in props && typeof props.assetId === 'string' ? { shape: id, on: props.assetId } : undefined
}
