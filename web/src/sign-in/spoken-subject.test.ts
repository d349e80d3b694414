import { expect, test } from 'vitest'
import { spokenSubject } from './spoken-subject.ts'

test.each([
  ['key:5fac0b11-6f0e-4d0a-9d0e-1f1f6f0e4d0a', 'with key 5fac0b11'],
  ['admin', 'as admin'],
  ['alice@example.org', 'as alice@example.org'],
])('%s is signed in %s', (subject, spoken) => {
  expect(spokenSubject(subject)).toBe(spoken)
})
