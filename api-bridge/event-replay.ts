/** The events between a place that a client has reached and one that a feed has: told again from log and history. */
import { slices } from '../core/base/slices.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { ItemTracker } from '../core/doc/item-tracker.ts'
import { Replica } from '../core/doc/replica.ts'
import type { PastRows } from '../core/store/board-past.ts'
import type { Storage } from '../core/store/storage.ts'
import { itemsFrame, type Place } from './event-frames.ts'
import type { EventStream } from './event-stream.ts'
import { Problem } from './problems.ts'

/** @throws Problem `events-gone`, where the board cannot be rebuilt as it was at that place */
export async function readPast(past: Storage['past'], board: BoardId, { epoch, seq }: Place): Promise<PastRows> {
  const read = await past.since(board, seq, true)
  if (!read || read === 'gone' || read.head.epoch !== epoch) throw eventsGone()
  return read
}

export const eventsGone = (): Problem =>
  new Problem(
    'events-gone',
    'what happened after this place is not kept any more; list the items anew and go on from the ETag of that answer',
  )

/**
 * Tells `stream` what happened after `seq`, up to and with `upTo`, as fast as it is read.
 * @throws Error when a row cannot be read
 */
export async function replay({ head, base, rows }: PastRows, seq: number, upTo: number, stream: EventStream) {
  const { epoch } = head
  const state = { head: { ...head, headSeq: seq }, snapshot: base, rows: rows.filter(row => row.seq <= seq) }
  const tracker = await ItemTracker.of(await Replica.load(state))
  try {
    for (const row of rows) {
      if (row.seq <= seq) continue
      if (row.seq > upTo) break
      const events = tracker.absorb(row, epoch)
      if (events.length > 0 && !(await stream.tellPast(itemsFrame(events, epoch, row)))) return
      if (slices.mustStop()) await slices.next()
    }
  } finally {
    tracker.replica.destroy()
  }
}
