/**
 * The outline of a shape, from its record alone: exact where the record says it, an estimate where tldraw measures text in
 * a browser. Enough to find what lies where, and to let go of an arrow where it is.
 */
import { b64Vecs } from '@tldraw/tlschema'
import type { BoardRecords } from './board-records.ts'
import { numberProp, type Props, propsOf, scaleOf } from './item-fields.ts'
import { textSize } from './label-size.ts'
import { type Frame, outOf, type Point } from './plane.ts'
import { deepestShape } from './record-hazard.ts'
import { isShapeId } from './record-ids.ts'
import type { PlainRecord } from './record-layout.ts'
import { plainText } from './rich-text.ts'
import { recordFault } from './tldraw-schema.ts'

/** tldraw's own, before its scale. */
export const noteSize = 200
const ellipsePoints = 32

/** Where a shape lies on its page. */
export function pageFrameOf(records: BoardRecords, shape: PlainRecord): Frame {
  let frame = frameOf(shape)
  let parent = shape.parentId
  for (let depth = 0; isShapeId(parent) && depth < deepestShape; depth++) {
    const record = records.record(parent)
    if (!record) break
    const outer = frameOf(record)
    frame = { ...outOf(outer, frame), rotation: outer.rotation + frame.rotation }
    parent = record.parentId
  }
  return frame
}

/**
 * Corners of a closed outline (points of a drawn line), in the shape's own coordinates. The shape is one that tldraw
 * accepts: of others not even the props are certain.
 */
export function outlineOf(records: BoardRecords, shape: PlainRecord, depth = 0): Point[] {
  const props = propsOf(shape)
  switch (shape.type) {
    case 'arrow':
      // Of a bound one this is where it was before: see `page-box.ts`.
      return [props.start, props.end] as Point[]
    case 'group':
      if (depth === deepestShape) return [origin]
      return [...records.childrenOf(shape.id)].flatMap(id => {
        const child = records.record(id)
        // Nobody has looked at it yet: the group is an item whatever it holds.
        if (!child || recordFault(child)) return []
        return outlineOf(records, child, depth + 1).map(point => outOf(frameOf(child), point))
      })
    case 'draw':
    case 'highlight':
      return strokePoints(props)
    case 'line':
      return Object.values(props.points as Record<string, Point>)
    case 'geo':
      return geoOutline(props)
    default:
      return rectangle(sizeOf(shape, props))
  }
}

const origin: Point = { x: 0, y: 0 }

/** What a shape lies in may be foreign: what is no number there moves nothing. */
const frameOf = (shape: PlainRecord): Frame => ({
  x: numberProp(shape, 'x'),
  y: numberProp(shape, 'y'),
  rotation: numberProp(shape, 'rotation'),
})

function sizeOf({ type }: PlainRecord, props: Props): { width: number; height: number } {
  const scale = scaleOf(props)
  if (type === 'note') return { width: noteSize * scale, height: (noteSize + numberProp(props, 'growY')) * scale }
  if (type === 'text') {
    const width = props.autoSize === false ? numberProp(props, 'w') : undefined
    const size = textSize(plainText(props.richText), props.size, width)
    return { width: size.width * scale, height: size.height * scale }
  }
  return { width: numberProp(props, 'w'), height: numberProp(props, 'h') }
}

function geoOutline(props: Props): Point[] {
  const [width, height] = [numberProp(props, 'w'), numberProp(props, 'h') + numberProp(props, 'growY')]
  const at = (x: number, y: number): Point => ({ x: x * width, y: y * height })
  switch (props.geo) {
    case 'ellipse':
    case 'oval':
      return Array.from({ length: ellipsePoints }, (_, n) => {
        const angle = (n / ellipsePoints) * 2 * Math.PI
        return at(0.5 + Math.cos(angle) / 2, 0.5 + Math.sin(angle) / 2)
      })
    case 'diamond':
      return [at(0.5, 0), at(1, 0.5), at(0.5, 1), at(0, 0.5)]
    case 'triangle':
      return [at(0.5, 0), at(1, 1), at(0, 1)]
    default:
      return rectangle({ width, height })
  }
}

const rectangle = ({ width, height }: { width: number; height: number }): Point[] => [
  origin,
  { x: width, y: 0 },
  { x: width, y: height },
  { x: 0, y: height },
]

/** A path that other programs wrote may be anything; tldraw's validators take any text for one. */
function strokePoints(props: Props): Point[] {
  const [scaleX, scaleY] = [numberProp(props, 'scaleX', 1), numberProp(props, 'scaleY', 1)]
  try {
    const segments = props.segments as { path: string; dim?: 2 | 3 }[]
    const points = segments.flatMap(({ path, dim }) => b64Vecs.decodePoints(path, dim))
    const finite = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    return finite.length > 0 ? finite.map(({ x, y }) => ({ x: x * scaleX, y: y * scaleY })) : [origin]
  } catch {
    return [origin]
  }
}
