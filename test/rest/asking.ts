/** How REST tests ask: the items they post, and what they look for in boards and answers. */

import { expect } from 'vitest'
import type * as Y from 'yjs'
import { readRecord, recordsOf } from '../../core/doc/record-layout.ts'
import type { Site } from '../kit/site.ts'

export const sticky = {
  type: 'sticky',
  x: 100,
  y: 200,
  content: { text: 'From an agent' },
  style: { color: 'light-green' },
  created_by: 'agent-7',
}

/** @param item fields in the place of, or beside, those of {@link sticky} */
export const create = (at: Site, board: string, item: object = {}) =>
  at.ask('POST', `/v1/boards/${board}/items`, { ...sticky, ...item })

export const patch = (at: Site, board: string, id: string, body: object, headers = {}) =>
  at.ask('PATCH', `/v1/boards/${board}/items/${id}`, body, headers)

export const smallSticky = { type: 'sticky', x: 1, y: 2 }

/** A {@link smallSticky}, under an idempotency key where one is given. */
export const post = (at: Site, board: string, item: object = {}, key?: string) =>
  at.ask(
    'POST',
    `/v1/boards/${board}/items`,
    { ...smallSticky, ...item },
    key === undefined ? {} : { 'idempotency-key': key },
  )

export const listed = async (at: Site, board: string): Promise<Record<string, unknown>[]> =>
  (await at.ask('GET', `/v1/boards/${board}/items`)).json().items

export const recordIn = (doc: Y.Doc, id: string) => readRecord(`shape:${id}`, recordsOf(doc).get(`shape:${id}`))

export const problem = (name: string) => expect.objectContaining({ type: `/v1/problems/${name}` })
