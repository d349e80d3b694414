/**
 * Plain text ⇄ tldraw's rich text (ProseMirror JSON): one paragraph a line.
 *
 * A document also has a heading: the heading nodes that its rich text begins with. Writing one of the two leaves the
 * nodes of the other as they are, a person's formatting included.
 *
 * An empty text node (`{type: 'text', text: ''}`) passes tldraw's validators and crashes the canvas of everyone who has
 * the board open, so an empty line is a paragraph without content.
 */
interface RichTextNode {
  type: string
  attrs?: Record<string, unknown>
  content?: RichTextNode[]
  text?: string
}

export interface RichText {
  type: 'doc'
  content: RichTextNode[]
}

/** Foreign rich text may be nested without end; nothing that people write in tldraw comes near. */
const deepestBlock = 50
/** Half as large again as the text, in every browser's own style sheet. */
const headingLevel = 2

/** Lines end with \n, \r\n or \r; they read back as \n. */
export function richTextOf(text: string): RichText {
  return { type: 'doc', content: paragraphs(text) }
}

/** All of a rich text as plain text, one line a block. What is no rich text reads as ''. */
export function plainText(richText: unknown): string {
  return linesOf(blocksOf(richText)).join('\n')
}

/** The heading of a document and the text below it. */
export function documentText(richText: unknown): { title: string; text: string } {
  const { heading, body } = splitDocument(richText)
  return { title: linesOf(heading).join('\n'), text: linesOf(body).join('\n') }
}

export function withTitle(richText: unknown, title: string): RichText {
  const heading = title === '' ? [] : lines(title).map(line => block('heading', line, { level: headingLevel }))
  return documentOf(heading, splitDocument(richText).body)
}

export function withText(richText: unknown, text: string): RichText {
  return documentOf(splitDocument(richText).heading, text === '' ? [] : paragraphs(text))
}

/** A rich text without any block is one that no editor makes; it gets an empty paragraph. */
function documentOf(heading: RichTextNode[], body: RichTextNode[]): RichText {
  const content = [...heading, ...body]
  return { type: 'doc', content: content.length > 0 ? content : paragraphs('') }
}

function splitDocument(richText: unknown): { heading: RichTextNode[]; body: RichTextNode[] } {
  const blocks = blocksOf(richText)
  const end = blocks.findIndex(node => node.type !== 'heading')
  return end < 0 ? { heading: blocks, body: [] } : { heading: blocks.slice(0, end), body: blocks.slice(end) }
}

const lines = (text: string): string[] => text.split(/\r\n?|\n/)
const paragraphs = (text: string): RichTextNode[] => lines(text).map(line => block('paragraph', line))

function block(type: string, line: string, attrs?: Record<string, unknown>): RichTextNode {
  return {
    type,
    ...(attrs && { attrs }),
    ...(line !== '' && { content: [{ type: 'text', text: line }] }),
  }
}

/** A block that holds text is one line (more with hard breaks); one that holds blocks, such as a list, has theirs. */
function linesOf(nodes: readonly RichTextNode[], depth = 0): string[] {
  if (depth > deepestBlock) return []
  return nodes.flatMap(node => {
    const children = childrenOf(node)
    const holdsText =
      children.length === 0 || children.some(child => child.type === 'text' || child.type === 'hardBreak')
    return holdsText ? [children.map(inlineText).join('')] : linesOf(children, depth + 1)
  })
}

function inlineText(node: RichTextNode): string {
  if (node.type === 'hardBreak') return '\n'
  return typeof node.text === 'string' ? node.text : ''
}

function blocksOf(richText: unknown): RichTextNode[] {
  return childrenOf(richText)
}

function childrenOf(node: unknown): RichTextNode[] {
  if (typeof node !== 'object' || node === null || !('content' in node) || !Array.isArray(node.content)) return []
  return node.content.filter((child): child is RichTextNode => typeof child?.type === 'string')
}
