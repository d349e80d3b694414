/** Points in the plane, and where a shape puts its own: moved by its x and y, turned by its rotation. */

export interface Point {
  x: number
  y: number
}

export interface Box {
  minX: number
  minY: number
  maxX: number
  maxY: number
}

/** Turned first (radians, clockwise on a screen), then moved. */
export interface Frame extends Point {
  rotation: number
}

/** A point of the frame, as seen from outside. */
export function outOf({ x, y, rotation }: Frame, point: Point): Point {
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)]
  return { x: x + point.x * cos - point.y * sin, y: y + point.x * sin + point.y * cos }
}

/** A point from outside, as the frame has it. */
export function into({ x, y, rotation }: Frame, point: Point): Point {
  return outOf({ x: 0, y: 0, rotation: -rotation }, { x: point.x - x, y: point.y - y })
}

/** Undefined for no points. */
export function boxAround(points: readonly Point[]): Box | undefined {
  let box: Box | undefined
  for (const { x, y } of points) {
    box ??= { minX: x, minY: y, maxX: x, maxY: y }
    box.minX = Math.min(box.minX, x)
    box.minY = Math.min(box.minY, y)
    box.maxX = Math.max(box.maxX, x)
    box.maxY = Math.max(box.maxY, y)
  }
  return box
}

/** Sharing an edge is enough. */
export const touch = (a: Box, b: Box): boolean =>
  a.minX <= b.maxX && b.minX <= a.maxX && a.minY <= b.maxY && b.minY <= a.maxY

/** Where the way from `from` to `to` first meets the outline of a closed polygon; undefined where it never does. */
export function firstMeeting(from: Point, to: Point, polygon: readonly Point[]): Point | undefined {
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  let nearest: number | undefined
  for (const [n, a] of polygon.entries()) {
    const b = polygon[(n + 1) % polygon.length] ?? a
    const [ex, ey] = [b.x - a.x, b.y - a.y]
    const cross = dx * ey - dy * ex
    if (cross === 0) continue
    const along = ((a.x - from.x) * ey - (a.y - from.y) * ex) / cross
    const across = ((a.x - from.x) * dy - (a.y - from.y) * dx) / cross
    if (along < 0 || along > 1 || across < 0 || across > 1) continue
    if (nearest === undefined || along < nearest) nearest = along
  }
  return nearest === undefined ? undefined : { x: from.x + dx * nearest, y: from.y + dy * nearest }
}
