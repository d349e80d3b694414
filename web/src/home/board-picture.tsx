/** A small picture of a board, drawn from its items: where what is, and in which colour. */
import type { DrawnItem } from './boards.ts'
import { itemColor, stickyColor } from './item-colors.ts'

interface Placed extends DrawnItem {
  width: number
  height: number
}

const ratio = 16 / 10
/** A board with one sticky on it is not shown as one huge sticky. */
const smallestWidth = 900
const deepestNesting = 20

export function BoardPicture({ items }: { items: readonly DrawnItem[] }) {
  const placed = placeAll(items)
  const drawn = [...placed.values()].filter(({ type }) => type !== 'connector')
  const { x, y, width, height } = frameAround(drawn)
  // Frames lie under what is in them.
  const ordered = drawn.toSorted((a, b) => Number(b.type === 'frame') - Number(a.type === 'frame'))
  const line = width / 160
  return (
    <svg className="board-picture" viewBox={`${x} ${y} ${width} ${height}`} strokeWidth={line} aria-hidden="true">
      {ordered.map(item => (
        <Drawn key={item.id} item={item} line={line} />
      ))}
      {items.map(({ id, type, content, style }) => {
        const [from, to] = [placed.get(content.from ?? ''), placed.get(content.to ?? '')]
        if (type !== 'connector' || !from || !to) return null
        const [start, end] = [middleOf(from), middleOf(to)]
        return <line key={id} x1={start.x} y1={start.y} x2={end.x} y2={end.y} stroke={itemColor(style.color)} />
      })}
    </svg>
  )
}

function Drawn({ item, line }: { item: Placed; line: number }) {
  const { type, x, y, width, height, rotation, content, style } = item
  const color = itemColor(style.color)
  const turn = rotation ? { transform: `rotate(${(rotation * 180) / Math.PI} ${x} ${y})` } : {}
  const box = { x, y, width, height, ...turn }
  switch (type) {
    case 'sticky':
      return <rect {...box} rx={line} fill={stickyColor(style.color)} fillOpacity={0.85} />
    case 'text':
      return <rect {...box} y={y + height / 4} height={height / 2} rx={line} fill={color} fillOpacity={0.45} />
    case 'frame':
      return <rect {...box} rx={line} fill="var(--card)" stroke="var(--line)" />
    case 'image':
      return <rect {...box} rx={line} fill="var(--accent)" fillOpacity={0.25} />
    default: {
      const fill = { fill: color, fillOpacity: style.fill && style.fill !== 'none' ? 0.35 : 0.06, stroke: color }
      if (content.kind !== 'ellipse') return <rect {...box} rx={line} {...fill} />
      return <ellipse cx={x + width / 2} cy={y + height / 2} rx={width / 2} ry={height / 2} {...turn} {...fill} />
    }
  }
}

/** By id, in page coordinates; what lies in a turned frame is near where it is. */
function placeAll(items: readonly DrawnItem[]): Map<string, Placed> {
  const byId = new Map(items.map(item => [item.id, item]))
  return new Map(
    items.map(item => {
      let { x, y } = item
      let parent = byId.get(item.parent ?? '')
      for (let depth = 0; parent && depth < deepestNesting; depth++) {
        x += parent.x
        y += parent.y
        parent = byId.get(parent.parent ?? '')
      }
      const { width = textWidth(item), height = 40 } = item
      return [item.id, { ...item, x, y, width: Math.max(width, 1), height: Math.max(height, 1) }]
    }),
  )
}

const textWidth = ({ content }: DrawnItem): number => Math.min(30, (content.text ?? '').length || 4) * 13

const middleOf = ({ x, y, width, height }: Placed) => ({ x: x + width / 2, y: y + height / 2 })

function frameAround(drawn: readonly Placed[]) {
  const [first] = drawn
  if (!first) return { x: 0, y: 0, width: smallestWidth, height: smallestWidth / ratio }
  let [minX, minY, maxX, maxY] = [first.x, first.y, first.x, first.y]
  for (const { x, y, width, height } of drawn) {
    minX = Math.min(minX, x)
    minY = Math.min(minY, y)
    maxX = Math.max(maxX, x + width)
    maxY = Math.max(maxY, y + height)
  }
  const width = Math.max(smallestWidth, (maxX - minX) * 1.12, (maxY - minY) * 1.12 * ratio)
  const height = width / ratio
  return { x: (minX + maxX - width) / 2, y: (minY + maxY - height) / 2, width, height }
}
