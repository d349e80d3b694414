import { expect, test } from 'vitest'
import { includes, mayWrite, roles } from './role.ts'

test('readers alone may not write', () => {
  expect(roles.map(mayWrite)).toEqual([false, true, true])
})

test('each role reaches as far as those before it', () => {
  expect(roles.map(role => roles.filter(other => includes(role, other)))).toEqual([
    ['read'],
    ['read', 'write'],
    ['read', 'write', 'admin'],
  ])
})
