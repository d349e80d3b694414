import { afterEach, expect, test, vi } from 'vitest'
import { api } from './api.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const missing = 'There is no such board, or this credential has no right to it'

test.each([
  [
    'a detail that adds something',
    { title: 'The file cannot be read', detail: 'it has no records' },
    'The file cannot be read: it has no records.',
  ],
  ['a detail that is the title again', { title: missing, detail: missing.replace('There', 'there') }, `${missing}.`],
  ['a title with more to it', { title: 'Taken', detail: 'taken, by a deleted board' }, 'Taken, by a deleted board.'],
  ['no detail', { title: 'The board is full' }, 'The board is full.'],
  ['a whole sentence', { title: 'Away', detail: 'away; try again.' }, 'Away; try again.'],
  ['no problem document', undefined, 'The server answered 502.'],
])('of %s people read one sentence, once', async (_, problem, said) => {
  vi.stubGlobal('fetch', async () =>
    problem ? Response.json(problem, { status: 409 }) : new Response('<html>', { status: 502 }),
  )
  await expect(api('/boards')).rejects.toHaveProperty('message', said)
})

test('a server that cannot be reached is said to be, without the words of the browser', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('Failed to fetch')
  })
  await expect(api('/boards')).rejects.toThrow(/^The server cannot be reached\.$/)
})
