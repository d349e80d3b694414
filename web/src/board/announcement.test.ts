import { expect, test } from 'vitest'
import type { ConnectionStatus } from '../sync/index.ts'
import { nextAnnouncement, nothingSaid } from './announcement.ts'

/** What is said on the way, each once. */
function heard(...course: [ConnectionStatus, string][]): string[] {
  let now = nothingSaid
  const said: string[] = []
  for (const [status, text] of course) {
    const next = nextAnnouncement(now, status, text)
    if (next.text !== now.text) said.push(next.text)
    now = next
  }
  return said
}

test('edits that are saved as they are made are no news', () => {
  expect(heard(['connecting', 'Connecting…'], ['connected', 'Connected'])).toEqual([])
  expect(heard(['saving', 'Saving…'], ['saved', 'Saved'], ['saving', 'Saving…'], ['saved', 'Saved'])).toEqual([])
})

test('no connection is said, that edits are not saved yet, and that all is well again', () => {
  const course = heard(
    ['saved', 'Saved'],
    ['offline', 'Offline'],
    ['offline', 'Offline · not saved yet'],
    ['saving', 'Saving…'],
    ['saved', 'Saved'],
    ['saving', 'Saving…'],
    ['saved', 'Saved'],
  )
  expect(course).toEqual(['Offline', 'Offline · not saved yet', 'Saved'])
})
