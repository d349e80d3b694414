import { describe, expect, test } from 'vitest'
import { releasing } from './releasing.ts'

describe('releasing', () => {
  test('releases last in, first out, past one that fails, and then says so', async () => {
    const released: string[] = []
    let end = async () => {}
    const use = releasing(release => {
      end = release
    })
    use('database', name => released.push(name))
    use('instance', () => Promise.reject(new Error('instance hangs')))
    use({ stop: () => released.push('client') })

    await expect(end()).rejects.toThrow('instance hangs')
    expect(released).toEqual(['client', 'database'])
    await end()
    expect(released).toHaveLength(2)
  })
})
