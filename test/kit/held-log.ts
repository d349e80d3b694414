/** Stands in for the board log: every commit waits until the test lets it through, skips boards of it, or fails it. */
import type { BoardId } from '../../core/contract/board-id.ts'
import type { BoardBatch, CommittedBoards } from '../../core/store/board-log.ts'
import type { Storage } from '../../core/store/storage.ts'

type Log = Pick<Storage['boards'], 'append' | 'appendWaiting' | 'appendAgain'>

export interface HeldCommit {
  how: keyof Log
  batchId: string
  boards: BoardId[]
  batches: readonly BoardBatch[]
  /** Commits; boards in `except` are skipped, as when their row is locked. */
  commit(except?: readonly BoardId[]): void
  fail(error: Error): void
}

export class HeldLog implements Log {
  /** In the order they were asked for, the settled ones too. */
  readonly commits: HeldCommit[] = []
  readonly #heads = new Map<BoardId, number>()

  append = (batchId: string, batches: readonly BoardBatch[]) => this.#hold('append', batchId, batches)
  appendWaiting = (batchId: string, batch: BoardBatch) => this.#hold('appendWaiting', batchId, [batch])
  appendAgain = (batchId: string, batches: readonly BoardBatch[]) => this.#hold('appendAgain', batchId, batches)

  #hold(how: keyof Log, batchId: string, batches: readonly BoardBatch[]): Promise<CommittedBoards> {
    return new Promise((resolve, fail) => {
      const boards = batches.map(({ board }) => board)
      const commit = (except: readonly BoardId[] = []) =>
        resolve(new Map(batches.filter(({ board }) => !except.includes(board)).map(batch => this.#write(batch))))
      this.commits.push({ how, batchId, boards, batches, commit, fail })
    })
  }

  #write({ board, entries }: BoardBatch) {
    const headSeq = this.#heads.get(board) ?? 0
    this.#heads.set(board, headSeq + entries.length)
    return [board, { epoch: 1, firstSeq: headSeq + 1, lastSeq: headSeq + entries.length }] as const
  }
}
