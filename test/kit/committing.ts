/** A committer over a log that the test holds, and boards with real commit lines. Under fake timers. */
import { vi } from 'vitest'
import * as Y from 'yjs'
import { StorageError, type StorageFailure, type SyncError } from '../../core/base/errors.ts'
import { createLogger } from '../../core/base/log.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { CommitLine } from '../../ws/room/commit-line.ts'
import { Committer } from '../../ws/room/committer.ts'
import { type HeldCommit, HeldLog } from './held-log.ts'
import type { Use } from './releasing.ts'

export const MiB = 1024 * 1024
export const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms)
export const last = (log: HeldLog): HeldCommit => log.commits.at(-1) as HeldCommit
export const failed = (failure: StorageFailure) => new StorageError(failure, failure)

export function committing(use: Use, limits = { board: 8 * MiB, total: 256 * MiB }) {
  const log = new HeldLog()
  const silent = createLogger('silent')
  const monitor = use(new StorageMonitor({ ping: () => new Promise(() => {}) }, silent))
  const committer = use(new Committer(log, monitor, silent, createMetrics(), limits))
  return { log, monitor, committer, board: (name: string) => openBoard(committer, name) }
}

/** What was passed on of a board, and why it was given up. */
function openBoard(committer: Committer, name: string) {
  const id = parseBoardId(name)
  const own = { id, passedOn: 0, seqs: [] as number[], givenUp: undefined as SyncError | undefined }
  const line: CommitLine = new CommitLine(
    id,
    {
      known: () => 0,
      onCommitted: ({ lastSeq }, updates) => {
        own.passedOn += updates.reduce((sum, update) => sum + Y.decodeUpdate(update).structs.length, 0)
        own.seqs.push(lastSeq)
      },
      onGivenUp: error => {
        own.givenUp = error
        line.close()
        committer.forget(line)
      },
    },
    woken => committer.wake(woken),
  )
  const edit = (bytes = 1) => line.enqueue(updateOf(bytes), 'human:test')
  return Object.assign(own, { line, edit })
}

let clients = 0
function updateOf(bytes: number): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = ++clients
  doc.getText('t').insert(0, 'x'.repeat(bytes))
  return Y.encodeStateAsUpdate(doc)
}
