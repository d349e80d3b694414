/**
 * Records that tldraw's validators accept and its canvas does not survive. One of them would take the board down for
 * everybody who opens it, so they are kept out of the store.
 */
import type { PlainRecord } from './record-layout.ts'

/** What tldraw's rich text editor knows (its StarterKit without blockquote, codeBlock and horizontalRule, plus highlight). */
const textNodes: ReadonlySet<unknown> = new Set(
  'paragraph heading text hardBreak bulletList orderedList listItem'.split(' '),
)
const textMarks: ReadonlySet<unknown> = new Set('bold italic strike underline code link highlight'.split(' '))
const deepestText = 40
/** Of the shapes that a shape lies in, the page counts no more: foreign ones may lie in each other in a circle. */
export const deepestShape = 100

/** Why this valid record must not reach the canvas, or undefined. */
export function hazardOf(record: PlainRecord, parentOf: (id: string) => unknown): string | undefined {
  if (record.typeName !== 'shape') return undefined
  if (isInsideItself(record, parentOf)) return 'it is inside itself'
  const props = record.props as Record<string, unknown>
  if ('richText' in props && !isTextDocument(props.richText)) return 'its text cannot be shown'
  switch (record.type) {
    case 'draw':
    case 'highlight':
      return hasStrokes(props.segments) ? undefined : 'it has no readable stroke'
    case 'line':
      return Object.keys(props.points as object).length > 0 ? undefined : 'it has no points'
    default:
      return undefined
  }
}

function isInsideItself(record: PlainRecord, parentOf: (id: string) => unknown): boolean {
  let parent = record.parentId
  for (let depth = 0; typeof parent === 'string' && parent.startsWith('shape:'); depth++) {
    if (parent === record.id || depth > deepestShape) return true
    parent = parentOf(parent)
  }
  return false
}

function isTextDocument(value: unknown): boolean {
  if (!isObject(value) || value.type !== 'doc' || !Array.isArray(value.content)) return false
  return value.content.every(node => isTextNode(node, 0))
}

function isTextNode(node: unknown, depth: number): boolean {
  if (!isObject(node) || !textNodes.has(node.type) || depth > deepestText) return false
  if (node.type === 'text' && (typeof node.text !== 'string' || node.text === '')) return false
  const marks = node.marks ?? []
  if (!Array.isArray(marks) || !marks.every(mark => isObject(mark) && textMarks.has(mark.type))) return false
  const content = node.content ?? []
  return Array.isArray(content) && content.every(child => isTextNode(child, depth + 1))
}

function hasStrokes(segments: unknown): boolean {
  return Array.isArray(segments) && segments.length > 0 && segments.every(segment => isBase64(segment?.path))
}

/** The shortest path tldraw decodes is one point: 8 bytes, 12 characters. */
function isBase64(text: unknown): boolean {
  return typeof text === 'string' && text.length >= 12 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
