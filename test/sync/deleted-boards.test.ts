/** A board that is deleted while people have it open, at this instance and at others. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import type { Storage } from '../../core/store/storage.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { type WatchedBus, watchedBus } from '../kit/watched-bus.ts'

const use = releasing()
const never = 3_600_000
let storage: Storage & Stoppable
beforeAll(async () => {
  storage = await embeddedStorage()
})
afterAll(() => storage.stop())

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

/** Two instances, and a person with a board open at each. */
async function people({
  bus = watchedBus(),
  compareEveryMs = never,
}: {
  bus?: WatchedBus
  compareEveryMs?: number
} = {}) {
  const [one, other] = [
    use(await Site.start({ storage, bus, compareEveryMs })),
    use(await Site.start({ storage, bus, compareEveryMs, applies: false })),
  ]
  const board = freshBoard()
  const [alice, bob] = [use(await one.join(board)), use(await other.join(board))]
  shapes(alice.doc).set('first', 1)
  await until(bob.doc, () => shapes(bob.doc).has('first'))
  return { bus, one, other, board, alice, bob }
}

describe('when a board is deleted', () => {
  test('sockets at every instance are closed 4404 at once, and their clients give up', async () => {
    const { one, other, board, alice, bob } = await people()
    expect((await other.ask('DELETE', `/v1/boards/${board}`)).statusCode).toBe(204)
    expect((await Promise.all([alice.gaveUp, bob.gaveUp])).map(({ code }) => code)).toEqual([4404, 4404])
    expect([one.rooms.size, other.rooms.size]).toEqual([0, 0])
  })

  test('they are closed also where nothing was heard of it', async () => {
    const bus = watchedBus()
    const { one, board, alice, bob } = await people({ bus, compareEveryMs: 100 })
    bus.loses = () => true
    await one.ask('DELETE', `/v1/boards/${board}`)
    expect((await Promise.all([alice.gaveUp, bob.gaveUp])).map(({ code }) => code)).toEqual([4404, 4404])
  })

  test('new sockets are closed 4404, and those without a right to it as for any other board', async () => {
    const { one, board } = await people()
    await one.ask('DELETE', `/v1/boards/${board}`)
    const nobody = grantOf({ subject: 'nobody', rights: new Map(), basis: { issuer: 'test' } })
    const strict = use(await Site.start({ storage, applies: false, authenticate: async () => nobody }))
    const codes = await Promise.all(
      [one, strict].map(async site => (await use(await connectRaw(`${site.wsUrl}/${board}`)).closed).code),
    )
    expect(codes).toEqual([4404, 4403])
  })

  test('what people drew is there when it is restored, and they can go on', async () => {
    const { one, other, board, alice, bob } = await people()
    shapes(bob.doc).set('last', 2)
    await until(alice.doc, () => shapes(alice.doc).has('last'))
    await one.ask('DELETE', `/v1/boards/${board}`)
    await Promise.all([alice.gaveUp, bob.gaveUp])
    shapes(bob.doc).set('while it was gone', 3)
    await one.ask('POST', `/v1/boards/${board}/restore`)
    const back = use(await other.join(board, bob.doc))
    const carol = use(await one.join(board))
    await until(carol.doc, () => shapes(carol.doc).size === 3)
    shapes(carol.doc).set('on', 4)
    await until(back.doc, () => shapes(back.doc).has('on'))
  })

  test('edits that race with it are in the log or not at all, never half', async () => {
    const { one, other, board, alice, bob } = await people()
    const draw = setInterval(() => {
      shapes(alice.doc).set(`a${Math.random()}`, 1)
      shapes(bob.doc).set(`b${Math.random()}`, 1)
    }, 1)
    await until(alice.doc, () => shapes(alice.doc).size > 20)
    const posts = Array.from({ length: 20 }, (_, n) =>
      one.ask('POST', `/v1/boards/${board}/items`, { type: 'sticky', id: `i${n}` }),
    )
    await other.ask('DELETE', `/v1/boards/${board}`)
    const answers = await Promise.all(posts)
    await Promise.all([alice.gaveUp, bob.gaveUp])
    clearInterval(draw)
    const after = await one.logged(board)
    await one.ask('POST', `/v1/boards/${board}/restore`)
    for (const [n, answer] of answers.entries()) {
      expect([201, 202, 404]).toContain(answer.statusCode)
      if (answer.statusCode === 201) expect(shapes(after).has(`shape:i${n}`)).toBe(true)
    }
    const restored = use(await one.join(board))
    // A change that was taken in before the end is made now, where it had not been.
    const taken = answers.flatMap((answer, n) => (answer.statusCode === 404 ? [] : [`shape:i${n}`]))
    await until(restored.doc, () => taken.every(id => shapes(restored.doc).has(id)))
  })
})
