/** What a shape covers, as a box in the coordinates of its page: what a search by place looks at. */
import { arrowEnds } from './arrow-ends.ts'
import type { BoardRecords } from './board-records.ts'
import { numberProp, propsOf } from './item-fields.ts'
import { type Box, boxAround, outOf, type Point } from './plane.ts'
import type { PlainRecord } from './record-layout.ts'
import { outlineOf, pageFrameOf } from './shape-outline.ts'

/** Undefined for a shape without any extent, such as an empty group. */
export function pageBox(records: BoardRecords, shape: PlainRecord): Box | undefined {
  if (shape.type === 'arrow') return boxAround(arrowPoints(records, shape))
  const frame = pageFrameOf(records, shape)
  return boxAround(outlineOf(records, shape).map(point => outOf(frame, point)))
}

/** Its ends and, where it is bent, the middle. */
function arrowPoints(records: BoardRecords, arrow: PlainRecord): Point[] {
  const { start, end } = arrowEnds(records, arrow)
  const bend = numberProp(propsOf(arrow), 'bend')
  const [dx, dy] = [end.x - start.x, end.y - start.y]
  const length = Math.hypot(dx, dy)
  if (length === 0 || bend === 0) return [start, end]
  const middle = { x: (start.x + end.x) / 2 + (dy / length) * bend, y: (start.y + end.y) / 2 - (dx / length) * bend }
  return [start, middle, end]
}
