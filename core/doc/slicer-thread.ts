/** The thread of `slicer.ts`. */
import { parentPort } from 'node:worker_threads'
import type { SlicerAnswer, SlicerQuestion } from './slicer.ts'
import { slicesOf } from './slices.ts'

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
