/**
 * What an item has beside its shape: an image its asset, a connector the bindings that make its arrow follow two shapes.
 *
 * Assets stay when their image goes, as in tldraw: a copy of the image or somebody's undo may still need them.
 */
import type { FieldError } from '../contract/field-error.ts'
import type { Item } from '../contract/item.ts'
import { arrowEnds, endsBetween, isBindable, terminals } from './arrow-ends.ts'
import type { BoardRecords } from './board-records.ts'
import { ancestorsOf } from './board-tree.ts'
import { assetIdOf, bindingAt, propsOf, type Terminal, type Value } from './item-fields.ts'
import { into, type Point } from './plane.ts'
import { isShapeId, itemIdOf, shapeIdOf } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { pageFrameOf } from './shape-outline.ts'
import type { Steps } from './steps.ts'
import { recordFault } from './tldraw-schema.ts'

/** The shapes at the ends of a connector. */
export type Ends = Partial<Record<Terminal, PlainRecord>>

const fieldOf = { start: 'from', end: 'to' } as const

/** The asset of the image as it now is, if the board has none yet for this address. */
export function missingAsset(
  records: BoardRecords,
  image: PlainRecord,
  url: Value | undefined,
): PlainRecord | undefined {
  const { assetId, w, h } = propsOf(image)
  if (typeof url !== 'string' || assetId !== assetIdOf(url) || records.has(assetId)) return undefined
  const mimeType = /^data:([^;,]+)/.exec(url)?.[1] ?? null
  return {
    ...{ id: assetId, typeName: 'asset', type: 'image', meta: {} },
    props: { w, h, name: '', isAnimated: false, mimeType, src: url },
  }
}

/** The shapes that the content names and did not name `before`, and what is wrong with them. */
export function namedEnds(
  records: BoardRecords,
  content: Item['content'],
  before: Item['content'] = {},
): { ends: Ends; errors: FieldError[] } {
  const ends: Ends = {}
  const errors: FieldError[] = []
  for (const terminal of terminals) {
    const field = fieldOf[terminal]
    const id = content[field]
    if (id === undefined || id === before[field]) continue
    const shape = records.record(shapeIdOf(id))
    if (shape?.typeName !== 'shape' || recordFault(shape)) {
      errors.push({ pointer: `/content/${field}`, detail: `this board has no item "${id}"` })
    } else if (!isBindable(shape)) {
      errors.push({ pointer: `/content/${field}`, detail: 'a connector cannot end at a connector or a group' })
    } else ends[terminal] = shape
  }
  if ((ends.start ?? ends.end) && content.from === content.to) {
    errors.push({ pointer: '/content/to', detail: 'a connector connects two different items' })
  }
  return { ends, errors }
}

/** The shapes that the arrow is bound to. */
export function boundEnds(records: BoardRecords, arrowId: string): Ends {
  const ends: Ends = {}
  for (const terminal of terminals) {
    const toId = bindingAt(records, arrowId, terminal)?.toId
    const shape = isShapeId(toId) ? records.record(toId) : undefined
    if (shape) ends[terminal] = shape
  }
  return ends
}

/** Ends on another page than the arrow: tldraw would let go of them. */
export function strayEnds(records: BoardRecords, arrow: PlainRecord, ends: Ends): FieldError[] {
  const { page } = ancestorsOf(records, arrow)
  return terminals.flatMap(terminal => {
    const shape = ends[terminal]
    if (!shape || page === undefined || ancestorsOf(records, shape).page === page) return []
    return [{ pointer: `/content/${fieldOf[terminal]}`, detail: 'this item is on another page than the connector' }]
  })
}

/** Where tldraw has the arrow between two shapes lie: in the innermost thing that holds both, or is a frame around one. */
export function commonParent(records: BoardRecords, { start, end }: Ends): string | undefined {
  if (!start || !end) return undefined
  const [around, { shapes, page }] = [ancestorsOf(records, start).shapes, ancestorsOf(records, end)]
  if (start.type === 'frame' && shapes.has(start.id)) return start.id
  if (end.type === 'frame' && around.has(end.id)) return end.id
  for (const id of around) if (shapes.has(id)) return id
  return page
}

/** The new arrow, drawn from outline to outline; it lies where it begins, unless somebody says where. */
export function drawnBetween(
  records: BoardRecords,
  arrow: PlainRecord,
  { start, end }: Ends,
  { x, y }: { x?: number; y?: number },
): PlainRecord {
  if (!start || !end) return arrow
  const points = endsBetween(records, start, end)
  const parent = isShapeId(arrow.parentId) ? records.record(arrow.parentId) : undefined
  const place = rounded(parent ? into(pageFrameOf(records, parent), points.start) : points.start)
  const placed: PlainRecord = { ...arrow, x: x ?? place.x, y: y ?? place.y }
  const frame = pageFrameOf(records, placed)
  placed.props = {
    ...propsOf(arrow),
    start: rounded(into(frame, points.start)),
    end: rounded(into(frame, points.end)),
  }
  return placed
}

/** Binds the arrow's ends to these shapes; an end that was bound to another one moves. */
export function bind(records: BoardRecords, arrowId: string, ends: Ends): void {
  for (const terminal of terminals) {
    const shape = ends[terminal]
    if (!shape) continue
    const bound = bindingAt(records, arrowId, terminal)
    const props = {
      ...{ terminal, normalizedAnchor: { x: 0.5, y: 0.5 } },
      ...{ isExact: false, isPrecise: false, snap: 'none' },
    }
    if (bound) records.change({ ...bound, toId: shape.id, props })
    else {
      const id = freeId(records, `binding:${itemIdOf(arrowId)}-${terminal}`)
      records.put({ id, typeName: 'binding', type: 'arrow', fromId: arrowId, toId: shape.id, props, meta: {} })
    }
  }
}

/** Takes every binding from or to what goes. As in tldraw, an arrow that stays keeps its place: its end is now a free one. */
export function* unbind(records: BoardRecords, going: ReadonlySet<string>): Steps<void> {
  const bindings: string[] = []
  const arrows = new Set<string>()
  for (const shape of going) {
    for (const { id, fromId } of records.bindingsOf(shape)) {
      bindings.push(id)
      if (isShapeId(fromId) && !going.has(fromId)) arrows.add(fromId)
    }
    yield
  }
  for (const id of arrows) {
    const arrow = records.record(id)
    if (arrow?.type === 'arrow' && !recordFault(arrow)) records.change(loosened(records, arrow, going))
    yield
  }
  for (const id of bindings) {
    records.remove(id)
    yield
  }
}

function loosened(records: BoardRecords, arrow: PlainRecord, going: ReadonlySet<string>): PlainRecord {
  const frame = pageFrameOf(records, arrow)
  const points = arrowEnds(records, arrow)
  const props: Record<string, unknown> = { ...propsOf(arrow) }
  for (const terminal of terminals) {
    const point = rounded(into(frame, points[terminal]))
    const toId = bindingAt(records, arrow.id, terminal)?.toId
    const isGoing = isShapeId(toId) && going.has(toId)
    if (isGoing && Number.isFinite(point.x) && Number.isFinite(point.y)) props[terminal] = point
  }
  return { ...arrow, props }
}

function freeId(records: BoardRecords, wanted: string): string {
  let id = wanted
  while (records.has(id)) id += '-'
  return id
}

/** To a hundredth; adding 0 makes -0 a 0. */
const rounded = ({ x, y }: Point): Point => ({ x: Math.round(x * 100) / 100 + 0, y: Math.round(y * 100) / 100 + 0 })
