/** Cuts big states in a thread of its own, which is started when first needed and keeps no process alive. */
import { Worker } from 'node:worker_threads'
import type { DocumentBytes } from '../store/state-bytes.ts'

/** @internal What the thread is asked and answers. */
export interface SlicerQuestion {
  id: number
  state: Uint8Array
}
/** @internal */
export interface SlicerAnswer {
  id: number
  bytes?: DocumentBytes
  failure?: string
}

/** A thread does not take `--import tsx` over (Node 20): it registers TypeScript itself, then begins. */
const boot = `
  import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})
    .then(({ register }) => register())
    .then(() => import(${JSON.stringify(new URL('./slicer-thread.ts', import.meta.url).href)}))`

interface Waiting {
  resolve(bytes: DocumentBytes): void
  reject(error: Error): void
}

let thread: Worker | undefined
let asked = 0
const waiting = new Map<number, Waiting>()

/** @param state the whole state as a Yjs V2 update. @throws Error when it cannot be read */
export function sliceApart(state: Uint8Array): Promise<DocumentBytes> {
  thread ??= start()
  const id = ++asked
  const question: SlicerQuestion = { id, state }
  thread.ref()
  thread.postMessage(question)
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
}

/** Starts the thread ahead of its first work: that takes longer than to cut a board. */
export function prepareSlicer(): void {
  thread ??= start()
  thread.unref()
}

function start(): Worker {
  const worker = new Worker(boot, { eval: true })
  worker.on('message', ({ id, bytes, failure }: SlicerAnswer) => {
    const asker = waiting.get(id)
    waiting.delete(id)
    if (bytes) asker?.resolve(bytes)
    else asker?.reject(new Error(`the state could not be cut: ${failure}`))
    if (waiting.size === 0) worker.unref()
  })
  const end = (error: Error) => {
    if (thread === worker) thread = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', end)
  worker.on('exit', code => end(new Error(`the thread that cuts states ended with ${code}`)))
  return worker
}
