import { describe, expect, it } from 'vitest'
import { labelHeight, textSize } from './label-size.ts'

const onNote = (text: string, size = 'm') => labelHeight({ text, size, width: 200 })

describe('the height of a label', () => {
  it('is none without text', () => expect(onNote('')).toBe(0))

  it('counts lines of 30 in size m, and the padding', () => {
    expect([onNote('a'), onNote('a\nb'), onNote('a\n\nb')]).toEqual([62, 92, 122])
  })

  it('wraps at about 12 characters on a sticky in size m', () => {
    expect([onNote('twelve chars'), onNote('thirteen char')]).toEqual([62, 92])
    expect(onNote('wwwwwwwwwwwwwwwwwwwwwwwww')).toBe(122)
  })

  it('grows with the size of the font and shrinks with the width of the shape', () => {
    const text = 'some words that need more than one line'
    expect(onNote(text, 's')).toBeLessThan(onNote(text, 'xl'))
    expect(labelHeight({ text, size: 'm', width: 800 })).toBe(62)
  })

  it('takes wide characters for two', () => {
    expect([onNote('漢字漢字漢字'), onNote('漢字漢字漢字漢')]).toEqual([62, 92])
  })

  it('has room for a heading above the text', () => {
    const label = { text: 'a', size: 'm', width: 400 }
    expect(labelHeight({ ...label, title: 'Heading' })).toBeGreaterThan(labelHeight(label) + 40)
  })

  it('stays within bounds for the longest text in the narrowest shape', () => {
    expect(labelHeight({ text: 'word '.repeat(2_000), size: 'xl', width: 1 })).toBeLessThan(1_000_000)
  })
})

describe('the size of a text', () => {
  it('is found however many lines it has', () => {
    const { width } = textSize(`${'\n'.repeat(300_000)}longest`, 'm')
    expect(width).toBe(textSize('longest', 'm').width)
  })
})
