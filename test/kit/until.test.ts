import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Doc } from 'yjs'
import { until } from './until.ts'

describe('until', () => {
  test('gives the first truthy answer', async () => {
    let looks = 0
    expect(await until(() => (++looks === 3 ? 'third' : undefined))).toBe('third')
  })

  test('takes a fact that throws as one that does not hold yet', async () => {
    let looks = 0
    const fact = async () => {
      if (++looks < 3) throw new Error('not yet')
      return looks
    }
    expect(await until(fact)).toBe(3)
  })

  test('says what was awaited and what it last saw', async () => {
    const vain = until(() => [].length, { timeout: 20, what: 'a first row' })
    await expect(vain).rejects.toThrow('waited 20 ms in vain for: a first row\nThe last look saw: 0')
  })

  test('says how the last look failed', async () => {
    const refused = new Error('connection refused')
    const vain = until(() => Promise.reject(refused), { timeout: 20, what: 'an answer' })
    await expect(vain).rejects.toThrow(expect.objectContaining({ cause: refused }))
  })

  test('gives up on a fact that hangs', async () => {
    const hanging = () => new Promise<boolean>(() => {})
    await expect(until(hanging, { timeout: 20 })).rejects.toThrow('never gave an answer')
  })

  test('looks at once when the document changes, not only at the next interval', async () => {
    const doc = new Doc()
    let looks = 0
    let held = false
    const waiting = until(doc, () => ++looks > 0 && doc.getMap('tldraw').size === 1).then(() => {
      held = true
    })
    await until(() => looks === 1)
    doc.getMap('tldraw').set('shape:a', {})
    await setImmediate()
    expect(held).toBe(true)
    await waiting
  })
})
