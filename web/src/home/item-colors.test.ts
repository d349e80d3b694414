import { expect, test } from 'vitest'
import { itemColor, stickyColor } from './item-colors.ts'

test('a sticky of no colour of its own is not drawn as ink; any other is as all items are', () => {
  expect(stickyColor()).toBe(stickyColor('black'))
  expect(stickyColor()).not.toBe(itemColor('black'))
  expect(stickyColor()).not.toBe(stickyColor('yellow'))
  expect(stickyColor('red')).toBe(itemColor('red'))
})
