import { expect, test } from 'vitest'
import { palette } from '../../core/contract/colors.ts'
import { contrast, enoughContrast, inkOn, luminance } from './ink-on.ts'

test.each([...palette, '#000000', '#ffffff', '#f00', '#777777'])('initials on %s can be read', color => {
  expect(contrast(luminance(inkOn(color)), luminance(color))).toBeGreaterThanOrEqual(enoughContrast)
})

test('contrast is WCAG’s', () => {
  expect(contrast(luminance('#000'), luminance('#fff'))).toBeCloseTo(21, 5)
  expect(contrast(luminance('#767676'), 1)).toBeCloseTo(4.54, 2)
})
