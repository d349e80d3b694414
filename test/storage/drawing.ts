/** A board's document as its writers have it, to be compared by content with what the store gives back. */

import { randomUUID } from 'node:crypto'
import { Doc, encodeStateAsUpdateV2 } from 'yjs'
import type { BoardId } from '../../core/contract/board-id.ts'
import { Replica } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import type { Saved, SaveOutcome } from '../../core/store/snapshot-writer.ts'
import type { Storage } from '../../core/store/storage.ts'
import { freshBoard } from './site.ts'

export class Drawing {
  readonly board: BoardId
  readonly epoch: number
  readonly #storage: Storage
  readonly #doc = new Doc()
  #update: Uint8Array = new Uint8Array()
  /** The whole state and its content at each seq. */
  readonly #states: { update: Uint8Array; content: unknown }[] = []

  private constructor(storage: Storage, board: BoardId, epoch: number) {
    this.#storage = storage
    this.board = board
    this.epoch = epoch
    this.#doc.on('update', (update: Uint8Array) => {
      this.#update = update
    })
    this.#note()
  }

  static async on(storage: Storage): Promise<Drawing> {
    const board = freshBoard()
    return new Drawing(storage, board, (await storage.boards.create(board)).epoch)
  }

  /** Makes so many edits, each a row of the log: new shapes, moved ones and deleted ones. */
  async edit(times: number): Promise<void> {
    for (let made = 0; made < times; made++) {
      this.#doc.transact(() => this.#change(this.#states.length))
      const entries = [{ actor: 'human:ann' as const, data: this.#update }]
      await this.#storage.boards.append(randomUUID(), [{ board: this.board, entries }])
      this.#note()
    }
  }

  get seq(): number {
    return this.#states.length - 1
  }

  /** What is on the board at this seq. */
  contentAt(seq: number): unknown {
    return this.#at(seq).content
  }

  /** The whole state at this seq (V2). */
  stateAt(seq: number): Uint8Array {
    return this.#at(seq).update
  }

  get content(): unknown {
    return this.contentAt(this.seq)
  }

  /** Writes a snapshot, and takes the rows that it covers out of the log. */
  async snapshot(seq = this.seq, { archive }: Pick<Storage, 'archive'> = this.#storage): Promise<SaveOutcome> {
    const { outcome } = await this.save(seq, { archive })
    await archive.pack(this.board)
    return outcome
  }

  /** Writes a snapshot, and leaves the rows that it covers where they are. */
  save(seq = this.seq, { archive }: Pick<Storage, 'archive'> = this.#storage): Promise<Saved> {
    return archive.save(this.board, this.epoch, seq, this.#at(seq).update)
  }

  async load(known = 0): Promise<StoredBoard> {
    const stored = await this.#storage.archive.read(this.board, known)
    if (!stored) throw new Error(`there is no board ${this.board}`)
    return stored
  }

  #change(turn: number): void {
    const shapes = this.#doc.getMap('tldraw')
    if (turn % 5 === 0) shapes.delete(`shape:${turn - 4}`)
    else shapes.set(`shape:${turn % 3 === 0 ? turn - 1 : turn}`, { x: turn, note: 'ä'.repeat(turn) })
    shapes.set('edits', turn)
  }

  #at(seq: number) {
    const state = this.#states[seq]
    if (!state) throw new Error(`there was no edit ${seq}`)
    return state
  }

  #note(): void {
    this.#states.push({ update: encodeStateAsUpdateV2(this.#doc), content: contentOf(this.#doc) })
  }
}

/** What a replica that is built from this has on its board. */
export function contentIn(stored: StoredBoard): unknown {
  return contentOf(new Replica(stored).doc)
}

const contentOf = (doc: Doc): unknown => doc.getMap('tldraw').toJSON()
