/** Server-sent events as bytes: https://html.spec.whatwg.org/multipage/server-sent-events.html. */
import type { PresentPeer } from '../core/contract/present-peer.ts'
import type { ItemEvent } from '../core/doc/item-tracker.ts'
import type { LogRow } from '../core/store/board-log.ts'

/** A place in a board's log, as clients name it in `Last-Event-ID`. */
export interface Place {
  epoch: number
  seq: number
}

/** How long a client waits before it connects again. */
const retryMs = 2_000

const placeOf = ({ epoch, seq }: Place): string => `${epoch}-${seq}`

/** @returns undefined for what is no place */
export function readPlace(text: string): Place | undefined {
  const [, epoch, seq] = /^(\d{1,16})-(\d{1,16})$/.exec(text) ?? []
  const place = { epoch: Number(epoch), seq: Number(seq) }
  return Number.isSafeInteger(place.epoch) && Number.isSafeInteger(place.seq) ? place : undefined
}

/** Opens a stream: who loses it before the first event still resumes from here. */
export const openingFrame = (place: Place): Buffer => Buffer.from(`retry: ${retryMs}\nid: ${placeOf(place)}\n\n`)

/** Nothing; keeps proxies from closing a silent connection. */
export const commentFrame = Buffer.from(':\n\n')

/**
 * What one row of the log did. The place comes with the last of its events: who lost the stream half-way gets all of them
 * again.
 */
export function itemsFrame(events: readonly ItemEvent[], epoch: number, { seq, actor }: LogRow): Buffer {
  const frames = events.map(({ type, ...what }, index) => {
    const id = index === events.length - 1 ? `id: ${placeOf({ epoch, seq })}\n` : ''
    return `event: ${type}\n${id}data: ${JSON.stringify({ ...what, seq, actor })}\n\n`
  })
  return Buffer.from(frames.join(''))
}

/** Without an id: presence is of the moment, and nobody is told of it later. */
export const presenceFrame = (
  type: 'presence.joined' | 'presence.left',
  { name, color, type: kind }: Pick<PresentPeer, 'name' | 'color' | 'type'>,
): Buffer => Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ name, color, type: kind })}\n\n`)
