import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { documentText, plainText, richTextOf, withText, withTitle } from './rich-text.ts'

const text = fc.array(fc.string({ unit: 'grapheme', maxLength: 10 }), { maxLength: 5 }).map(lines => lines.join('\n'))

describe('plain text', () => {
  it('comes back as it went in, line for line', () => {
    fc.assert(
      fc.property(text, text => {
        fc.pre(!text.includes('\r'))
        expect(plainText(richTextOf(text))).toBe(text)
      }),
    )
  })

  it('never becomes an empty text node, which would crash every canvas', () => {
    for (const empty of ['', '\n', '\n\n', 'a\n', '\na', '\r\n']) {
      const all = JSON.stringify([richTextOf(empty), withTitle(richTextOf(empty), empty), withText(undefined, empty)])
      expect(all).not.toContain('"text":""')
    }
    expect(richTextOf('')).toEqual({ type: 'doc', content: [{ type: 'paragraph' }] })
  })

  it('may end its lines as on any system', () => {
    expect(plainText(richTextOf('a\r\nb\rc\nd'))).toBe('a\nb\nc\nd')
  })
})

describe("a person's rich text", () => {
  const paragraph = (...content: object[]) => ({ type: 'paragraph', content })
  const bold = { type: 'text', text: 'bold', marks: [{ type: 'bold' }] }
  const item = (text: string) => ({ type: 'listItem', content: [paragraph({ type: 'text', text })] })

  it('reads as its lines, whatever they are made of', () => {
    const content = [
      { type: 'heading', attrs: { level: 1 }, content: [{ type: 'text', text: 'Title' }] },
      paragraph({ type: 'text', text: 'a ' }, bold, { type: 'hardBreak' }, { type: 'text', text: 'b' }),
      { type: 'paragraph' },
      { type: 'bulletList', content: [item('one'), item('two')] },
    ]
    expect(plainText({ type: 'doc', content })).toBe('Title\na bold\nb\n\none\ntwo')
  })

  it.each([undefined, null, 7, 'text', {}, { content: 'x' }, { content: [null, 7, {}] }])(
    'that is %j reads as nothing',
    value => {
      expect(plainText(value)).toBe('')
    },
  )

  it('nested without end is read to a depth', () => {
    let node: object = paragraph({ type: 'text', text: 'deep' })
    for (let depth = 0; depth < 5_000; depth++) node = { type: 'bulletList', content: [node] }
    expect(plainText({ type: 'doc', content: [node] })).toBe('')
  })
})

describe('a document', () => {
  it('has a title and a text that come back as they went in', () => {
    fc.assert(
      fc.property(text, text, (title, text) => {
        fc.pre(!`${title}${text}`.includes('\r'))
        expect(documentText(withText(withTitle(undefined, title), text))).toEqual({ title, text })
        expect(documentText(withTitle(withText(undefined, text), title))).toEqual({ title, text })
      }),
    )
  })

  it("keeps a person's formatting of the text when its title changes", () => {
    const body = { type: 'paragraph', content: [{ type: 'text', text: 'b', marks: [{ type: 'bold' }] }] }
    const changed = withTitle({ type: 'doc', content: [body] }, 'New')
    expect(changed.content.slice(1)).toEqual([body])
    expect(documentText(changed)).toEqual({ title: 'New', text: 'b' })
  })
})
