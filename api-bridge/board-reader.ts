/**
 * Boards as REST reads them: replicas built from the log, the most recently read kept. Every read first asks the store
 * for the board's head, so no answer is older than its own question; questions that wait together are asked as one.
 */
import { LRUCache } from 'lru-cache'
import type { BoardId } from '../core/contract/board-id.ts'
import { Replica } from '../core/doc/replica.ts'
import type { Storage } from '../core/store/storage.ts'
import { boardMissing } from './board-missing.ts'

const replicasKept = 50
/** Bytes of stored state; a Y.Doc takes about twelve times as much memory. */
const bytesKept = 32 * 1024 * 1024

export class BoardReader {
  readonly #storage: Pick<Storage, 'boards' | 'archive'>
  readonly #replicas = new LRUCache<BoardId, Replica>({
    max: replicasKept,
    maxSize: bytesKept,
    dispose: replica => replica.destroy(),
  })
  /** The question that readers who come now may still join: it has not begun. */
  readonly #gathering = new Map<BoardId, Promise<Replica>>()
  readonly #asking = new Map<BoardId, Promise<Replica>>()
  /** Resolves when nobody reads it any more. */
  readonly #readings = new WeakMap<Replica, Promise<void>>()

  constructor(storage: Pick<Storage, 'boards' | 'archive'>) {
    this.#storage = storage
  }

  /**
   * Reads the board as it is committed now, or later.
   * @param work on a replica that stays as it is until this is done, which may take its time; not to be used afterwards
   * @throws Problem `board-missing`; StorageError; what `work` throws
   */
  read<T>(board: BoardId, work: (replica: Replica) => T | Promise<T>): Promise<T> {
    return this.#ask(board).then(replica => {
      const reading = (async () => work(replica))()
      const others = this.#readings.get(replica)
      this.#readings.set(
        replica,
        endOf(reading).then(() => others),
      )
      return reading
    })
  }

  /** A board that nobody has written to yet reads as an empty one. @throws Problem `board-missing`, of a deleted one */
  async readOrEmpty<T>(board: BoardId, work: (replica: Replica) => T | Promise<T>): Promise<T> {
    if (await this.#storage.boards.head(board)) return this.read(board, work)
    const head = { epoch: 0, headSeq: 0, bytes: 0, deleted: false }
    return work(new Replica({ head, snapshot: undefined, rows: [] }))
  }

  #ask(board: BoardId): Promise<Replica> {
    const gathering = this.#gathering.get(board)
    if (gathering) return gathering
    // Whoever joined the one before begins to read before this goes on.
    const question = endOf(this.#asking.get(board)).then(() => {
      this.#gathering.delete(board)
      this.#asking.set(board, question)
      return this.#bringUp(board)
    })
    this.#gathering.set(board, question)
    void endOf(question).then(() => {
      if (this.#asking.get(board) === question) this.#asking.delete(board)
    })
    return question
  }

  async #bringUp(board: BoardId): Promise<Replica> {
    const head = await this.#storage.boards.head(board)
    if (!head || head.deleted) {
      this.#replicas.delete(board)
      throw boardMissing()
    }
    const kept = this.#replicas.get(board)
    if (kept && kept.epoch === head.epoch && kept.known === head.headSeq) return kept
    const usable = kept && kept.epoch === head.epoch && kept.known < head.headSeq ? kept : undefined
    const stored = await this.#storage.archive.read(board, usable?.known ?? 0)
    if (!stored) throw boardMissing()
    const isWhole = !usable || stored.snapshot !== undefined
    if (usable && !isWhole && stored.head.epoch === usable.epoch) {
      await this.#readings.get(usable)
      usable.absorb(stored)
      this.#keep(board, usable, stored.head.bytes)
      return usable
    }
    const whole = isWhole ? stored : await this.#storage.archive.read(board, 0)
    if (!whole) throw boardMissing()
    // In slices: a big board takes long.
    const replica = await Replica.load(whole)
    await replica.wakeToRead()
    this.#keep(board, replica, whole.head.bytes)
    return replica
  }

  /** Weighed anew each time: boards grow. */
  #keep(board: BoardId, replica: Replica, bytes: number): void {
    this.#replicas.set(board, replica, { size: Math.min(bytesKept, Math.max(1, bytes)) })
  }
}

/** Resolves when it has ended, however. */
async function endOf(promise: Promise<unknown> | undefined): Promise<void> {
  await promise?.catch(() => undefined) // told to who asked for it
}
