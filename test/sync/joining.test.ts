/** Who joins a board while others edit it: first all that is there, then what comes. */

import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as Y from 'yjs'
import type { Storage } from '../../core/store/storage.ts'
import { isEdit, isSyncStep1, isSyncStep2, payloadOf, syncStep1 } from '../kit/frames.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'

const use = releasing()
let storage: Storage & Stoppable
let site: Site
beforeAll(async () => {
  storage = await embeddedStorage()
  site = await Site.start({ storage })
})
afterAll(async () => {
  await site.stop()
  await storage.stop()
})

/** Two people on a board with one record, which one of them goes on moving. */
async function begin() {
  const board = freshBoard()
  const [alice, bob] = [use(await site.join(board)), use(await site.join(board))]
  const record = new Y.Map<unknown>([['base', { x: 1 }]])
  alice.doc.getMap('tldraw').set('shape:a', record)
  let x = 1
  /** Moves it, and waits until the other one has seen it. */
  const move = async () => {
    record.set('place', ++x)
    await until(bob.doc, () => (bob.doc.getMap('tldraw').get('shape:a') as Y.Map<unknown>)?.get('place') === x)
  }
  await move()
  return { board, move, at: () => x }
}
const documentFrames = (frames: readonly Uint8Array[]) => frames.filter(frame => isSyncStep2(frame) || isEdit(frame))

test('is told of no edit before the answer to what they lack: a record that moves is never seen where it began', async () => {
  const { board, move, at } = await begin()
  const join = async () => {
    const began = performance.now()
    const joiner = use(await connectRaw(`${site.wsUrl}/${board}`))
    await joiner.frame(isSyncStep1)
    await move()
    joiner.send(syncStep1())
    await joiner.frame(isSyncStep2)
    // Who asks later than that counts as one who asks for nothing.
    return performance.now() - began < 1_000 && joiner
  }
  const joiner = await until(join, { what: 'one who asks within a second' })
  await move()

  const doc = new Y.Doc()
  const seen: unknown[] = []
  doc
    .getMap('tldraw')
    .observeDeep(() => seen.push((doc.getMap('tldraw').get('shape:a') as Y.Map<unknown>).get('place')))
  const applied = () => {
    for (const frame of documentFrames(joiner.frames)) Y.applyUpdate(doc, payloadOf(frame))
    return seen.at(-1) === at()
  }
  await until(applied, { what: 'the last place' })
  expect(isSyncStep2(documentFrames(joiner.frames)[0] as Uint8Array)).toBe(true)
  expect(seen).not.toContain(undefined)
})

test('and asks for nothing hears what comes all the same', async () => {
  const { board, move } = await begin()
  const listener = use(await connectRaw(`${site.wsUrl}/${board}`))
  await listener.frame(isSyncStep1)
  await move()
  await listener.frame(isEdit)
})

test('the handshake of an open board and our first question are written as one', async () => {
  const { board } = await begin()
  const chunks: Buffer[][] = []
  site.app.server.prependOnceListener('upgrade', (_request, stream: Socket) => {
    const write = stream._writev?.bind(stream)
    stream._writev = (pieces, done) => {
      chunks.push(pieces.map(({ chunk }) => Buffer.from(chunk)))
      write?.(pieces, done)
    }
  })
  const joiner = use(await connectRaw(`${site.wsUrl}/${board}`))
  await joiner.frame(isSyncStep1)
  const [[handshake, question] = []] = chunks
  expect(handshake?.toString()).toMatch(/^HTTP\/1.1 101 /)
  expect(isSyncStep1(question?.subarray(2) ?? new Uint8Array())).toBe(true)
})
