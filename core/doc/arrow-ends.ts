/**
 * Where an arrow begins and ends. A free end is where the arrow's record says; a bound one follows its shape: the arrow
 * points at the shape's middle (or at a precise anchor in it) and stops at the outline. As tldraw draws it, to within the
 * width of a stroke.
 */
import type { BoardRecords } from './board-records.ts'
import { bindingAt, type Props, propsOf, type Terminal } from './item-fields.ts'
import { boxAround, firstMeeting, outOf, type Point } from './plane.ts'
import { isPlainObject } from './record-fields.ts'
import type { PlainRecord } from './record-layout.ts'
import { outlineOf, pageFrameOf } from './shape-outline.ts'
import { recordFault } from './tldraw-schema.ts'

export const terminals: readonly Terminal[] = ['start', 'end']

/** What tldraw leaves between an arrowhead and the shape it points at. */
const headGap = 10

interface Bound {
  /** The point in the shape that the arrow is meant for, on the page. */
  anchor: Point
  /** The shape's, on the page. */
  outline: Point[]
}

/** On the page. */
export function arrowEnds(records: BoardRecords, arrow: PlainRecord): Record<Terminal, Point> {
  const frame = pageFrameOf(records, arrow)
  const props = propsOf(arrow)
  const bound = { start: boundEnd(records, arrow, 'start'), end: boundEnd(records, arrow, 'end') }
  const meant = (terminal: Terminal): Point =>
    bound[terminal]?.anchor ?? outOf(frame, (props[terminal] as Point | undefined) ?? { x: 0, y: 0 })
  return {
    start: visibleEnd(meant('end'), meant('start'), bound.start, props.arrowheadStart !== 'none'),
    end: visibleEnd(meant('start'), meant('end'), bound.end, props.arrowheadEnd !== 'none'),
  }
}

/** Where an arrow between these two shapes begins and ends, on the page. */
export function endsBetween(records: BoardRecords, from: PlainRecord, to: PlainRecord): Record<Terminal, Point> {
  const [start, end] = [boundTo(records, from), boundTo(records, to)]
  return {
    start: visibleEnd(end.anchor, start.anchor, start, false),
    end: visibleEnd(start.anchor, end.anchor, end, true),
  }
}

/** Arrows bind to neither arrows nor groups; other programs may have bound them all the same. */
export const isBindable = ({ typeName, type }: PlainRecord): boolean =>
  typeName === 'shape' && type !== 'arrow' && type !== 'group'

function boundEnd(records: BoardRecords, arrow: PlainRecord, terminal: Terminal): Bound | undefined {
  const binding = bindingAt(records, arrow.id, terminal)
  const shape = typeof binding?.toId === 'string' ? records.record(binding.toId) : undefined
  // A shape that tldraw would reject has no place to point at: the arrow lies where its own record says.
  return binding && shape && isBindable(shape) && !recordFault(shape)
    ? boundTo(records, shape, propsOf(binding))
    : undefined
}

function boundTo(records: BoardRecords, shape: PlainRecord, binding: Props = {}): Bound {
  const frame = pageFrameOf(records, shape)
  const outline = outlineOf(records, shape)
  const { minX, minY, maxX, maxY } = boxAround(outline) ?? { minX: 0, minY: 0, maxX: 0, maxY: 0 }
  const at = (binding.isPrecise ? asPoint(binding.normalizedAnchor) : undefined) ?? { x: 0.5, y: 0.5 }
  const anchor = outOf(frame, { x: minX + at.x * (maxX - minX), y: minY + at.y * (maxY - minY) })
  return { anchor, outline: binding.isExact ? [] : outline.map(point => outOf(frame, point)) }
}

/** Bindings are read unchecked; one that says nothing of use still binds. */
function asPoint(value: unknown): Point | undefined {
  if (!isPlainObject(value) || !Number.isFinite(value.x) || !Number.isFinite(value.y)) return undefined
  return { x: Number(value.x), y: Number(value.y) }
}

function visibleEnd(opposite: Point, meant: Point, bound: Bound | undefined, hasHead: boolean): Point {
  const edge = bound && firstMeeting(opposite, meant, bound.outline)
  if (!edge || !hasHead) return edge ?? meant
  const [dx, dy] = [opposite.x - edge.x, opposite.y - edge.y]
  const length = Math.hypot(dx, dy)
  if (length <= 2 * headGap) return edge
  return { x: edge.x + (dx / length) * headGap, y: edge.y + (dy / length) * headGap }
}
