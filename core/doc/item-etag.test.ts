import { describe, expect, it } from 'vitest'
import type { Item } from '../contract/item.ts'
import { ifMatchHolds, itemEtag } from './item-etag.ts'

const item: Item = {
  id: 'a',
  type: 'sticky',
  x: 1,
  y: 2,
  rotation: 0,
  content: { text: 'a' },
  style: { color: 'red', size: 'm' },
}
const other: Item = { ...item, content: { text: 'b' } }
const tag = itemEtag(item)

describe("an item's ETag", () => {
  it('is strong and quoted', () => expect(tag).toMatch(/^"[A-Za-z0-9_-]{22}"$/))

  it('is of the content, whatever the order of its keys', () => {
    const { id, ...rest } = item
    expect(itemEtag({ ...rest, style: { size: 'm', color: 'red' }, id })).toBe(tag)
  })

  it.each([[{ ...item, x: 1.5 }], [other], [{ ...item, created_by: 'a' }], [{ ...item, record: {} }]])(
    'is another for another item',
    changed => expect(itemEtag(changed)).not.toBe(tag),
  )
})

describe('If-Match', () => {
  it.each(['*', ' * ', tag, ` ${tag} `, `"x", ${tag}`, `${tag},"y"`])('%s holds', header => {
    expect(ifMatchHolds(header, item)).toBe(true)
  })

  it.each(['', '"x"', itemEtag(other), `W/${tag}`, tag.slice(1, -1), `*, "x"`])('%s does not hold', header => {
    expect(ifMatchHolds(header, item)).toBe(false)
  })
})
