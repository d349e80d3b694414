/** A commit line whose commits the test plays. */
import { vi } from 'vitest'
import * as Y from 'yjs'
import type { SyncError } from '../../core/base/errors.ts'
import type { Actor } from '../../core/contract/actor.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { CommitLine } from '../../ws/room/commit-line.ts'

export const alice: Actor = 'human:alice'
export const bob: Actor = 'human:bob'

/** @returns the line, and in `left` everything that left it, in order */
export function playedLine() {
  const left: string[] = []
  const wake = vi.fn()
  let seq = 0
  const owner = {
    known: () => seq,
    onCommitted: vi.fn((_committed: unknown, updates: readonly Uint8Array[], _known: number) => {
      left.push(`broadcast ${updates.map(textOf).join('+')}`)
    }),
    onGivenUp: vi.fn((_error: SyncError) => line.close()),
  }
  const line = new CommitLine(parseBoardId('board-1'), owner, wake)
  const commit = () => {
    const { entries } = line.take()
    line.settle({ epoch: 1, firstSeq: seq + 1, lastSeq: seq + entries.length })
    seq += entries.length
  }
  const answer = (name: string, bytes?: number) => line.whenCommitted(() => left.push(name), bytes)
  return { line, left, wake, owner, commit, answer }
}

let clients = 0
/** An update that inserts this text, by a client of its own. */
export function typed(text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = ++clients
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

export function textOf(update: Uint8Array): string {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

/** All that is due now, and what follows from it, is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}
