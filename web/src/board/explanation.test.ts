import { expect, test } from 'vitest'
import { explain } from './explanation.ts'

const invalid = { kind: 'closed', code: 4400, reason: '' } as const

test.each(['metrics', 'v1', 'boards'])('of /b/%s people read that the word is reserved', word => {
  expect(explain(invalid, word).text).toContain('keeps for itself')
})

test.each(['no board', '', 'x'.repeat(129), 'plan'])('of /b/%s they do not', id => {
  expect(explain(invalid, id).text).not.toContain('keeps for itself')
})
