import { expect, test } from 'vitest'
import { Releasers } from './releasers.ts'

test('parts are released last in, first out, one at a time, and one that fails keeps none of the others open', async () => {
  const parts = new Releasers()
  const released: string[] = []
  parts.add('database', async () => {
    released.push('database')
  })
  parts.add('rooms', async () => {
    await Promise.resolve()
    released.push('rooms')
  })
  parts.add('bus', () => Promise.reject(new Error('the bus hangs')))
  parts.add('timer', () => {
    throw new Error('there is no timer')
  })
  const failures: string[] = []
  const onFailure = (name: string, error: unknown) => failures.push(`${name}: ${error}`)

  await parts.release(onFailure)
  expect(released).toEqual(['rooms', 'database'])
  expect(failures).toEqual(['timer: Error: there is no timer', 'bus: Error: the bus hangs'])
  await parts.release(onFailure)
  expect(released).toHaveLength(2)
})
