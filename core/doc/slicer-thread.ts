/** The thread of `slicer.ts`. */
import { parentPort } from 'node:worker_threads'
import * as Y from 'yjs'
import type { SlicerAnswer, SlicerQuestion } from './slicer.ts'
import { slicesOf } from './slices.ts'

/** What V8 has not compiled yet takes half as long again: of a board of 8 MB, a tenth of a second of its first opening. */
function warmUp(): void {
  const state = smallState()
  for (let times = 0; times < 20; times++) slicesOf(state)
}

/** As a board has it: maps that hold plain records. */
function smallState(): Uint8Array {
  const doc = new Y.Doc()
  const records = doc.getMap<Y.Map<unknown>>('tldraw')
  doc.transact(() => {
    for (let index = 0; index < 500; index++) {
      const record = new Y.Map<unknown>()
      records.set(`shape:${index}`, record)
      record.set('base', {
        type: 'note',
        x: 0.5,
        y: index,
        isLocked: false,
        opacity: 1,
        props: { color: 'black', size: 'm', font: 'draw', scale: 1, url: '', text: [{ type: 'text', text: 'a note' }] },
        meta: {},
      })
    }
  })
  return Y.encodeStateAsUpdateV2(doc)
}

warmUp()
parentPort?.on('message', ({ id, state }: SlicerQuestion) => {
  try {
    const bytes = slicesOf(state)
    const answer: SlicerAnswer = { id, bytes }
    parentPort?.postMessage(
      answer,
      bytes.slices.map(slice => slice.buffer as ArrayBuffer),
    )
  } catch (error) {
    const answer: SlicerAnswer = { id, failure: String(error) }
    parentPort?.postMessage(answer)
  }
})
