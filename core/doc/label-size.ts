/**
 * How tall a label will be, estimated without a browser: tldraw measures labels only in shapes that a person edits, so
 * for those that we write nobody else would make room for long text. Generous rather than tight. Once a person edits the
 * text, tldraw's own measure takes its place.
 */

/** tldraw's label sizes for its style `size`, in pixels (LABEL_FONT_SIZES × 16 in its default-shape-constants.ts). */
const fontSizes: Readonly<Record<string, number>> = { s: 18, m: 22, l: 26, xl: 32 }
/** Those of texts (FONT_SIZES × 16). */
const textFontSizes: Readonly<Record<string, number>> = { s: 18, m: 24, l: 36, xl: 44 }
const lineHeight = 1.35
/** Between the label and each edge of the shape (tldraw's LABEL_PADDING). */
const padding = 16
/** Mean advance of a character, in font sizes: about 12 characters fit a sticky in size m. */
const characterWidth = 0.636
/** tldraw lets a label be wider than a very narrow shape. */
const labelWidthAtLeast = 64
const headingScale = 1.5
const headingMargin = 15

/** Chinese, Japanese, Korean, full-width forms and pictographs are about twice as wide as a letter. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Extended_Pictographic}/gu

export interface Label {
  text: string
  /** A document's heading, set larger above the text. */
  title?: string
  /** tldraw's style: s, m, l, xl. */
  size: unknown
  /** Of the shape, in pixels before its `scale`. */
  width: number
}

/** Pixels from the shape's top edge to its bottom edge that the label needs; 0 without any text. */
export function labelHeight({ text, title = '', size, width }: Label): number {
  if (text === '' && title === '') return 0
  const fontSize = fontSizes[String(size)] ?? 22
  const room = Math.max(width - 2 * padding, labelWidthAtLeast)
  const heading = title === '' ? 0 : textHeight(title, fontSize * headingScale, room) + headingMargin
  return heading + textHeight(text, fontSize, room) + 2 * padding
}

/** The size of a text that stands by itself; as wide as its longest line where it has no width of its own. */
export function textSize(text: string, size: unknown, width?: number): { width: number; height: number } {
  const fontSize = textFontSizes[String(size)] ?? 24
  const longest = (lines: string[]) => lines.reduce((most, line) => Math.max(most, lineWidth(line)), 1)
  const room = width ?? longest(text.split('\n')) * fontSize * characterWidth
  return { width: room, height: textHeight(text, fontSize, room) }
}

const lineWidth = (line: string): number => line.length + (line.match(wide)?.length ?? 0)

function textHeight(text: string, fontSize: number, room: number): number {
  const columns = Math.max(1, Math.floor(room / (fontSize * characterWidth)))
  return lineCount(text, columns) * Math.round(fontSize * lineHeight)
}

/** Lines after wrapping at spaces; a word longer than a line is broken. */
function lineCount(text: string, columns: number): number {
  let count = 0
  for (const line of text.split('\n')) {
    count += 1
    let used = 0
    for (const word of line.split(' ')) {
      const width = lineWidth(word)
      if (used > 0 && used + 1 + width > columns) {
        count += 1
        used = 0
      }
      used += (used > 0 ? 1 : 0) + width
      while (used > columns) {
        count += 1
        used -= columns
      }
    }
  }
  return count
}
