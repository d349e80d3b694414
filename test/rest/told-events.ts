/** What tests of events have people do, and how they compare what clients heard. */
import { putRecord } from '../../core/doc/record-layout.ts'
import { type EventClient, type HeardEvent, listen } from '../kit/event-client.ts'
import type { Site } from '../kit/site.ts'
import type { StockClient } from '../kit/stock-client.ts'
import { drawnNote } from './drawn.ts'

/** @param last where the client was when it last heard anything */
export const eventsOf = (at: Site, board: string, last?: string): Promise<EventClient> =>
  listen(`${at.url}/v1/boards/${board}/events`, last === undefined ? {} : { 'last-event-id': last })

export function draw(person: StockClient, ...ids: string[]): void {
  person.doc.transact(() => {
    for (const id of ids) putRecord(person.doc, drawnNote(id))
  })
}

/** Like `created a 1 agent:anyone`. */
export const told = ({ event, data }: HeardEvent): string =>
  [event.replace('item.', ''), (data.item as { id: string } | undefined)?.id ?? data.id, data.seq, data.actor].join(' ')

export const remove = (at: Site, board: string, id: string) => at.ask('DELETE', `/v1/boards/${board}/items/${id}`)
