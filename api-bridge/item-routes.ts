/** The items of a board over REST: create, read, list, patch, delete. */
import { z } from 'zod'
import { newItemId } from '../core/contract/batch.ts'
import { ifMatchSchema } from '../core/contract/change.ts'
import { itemPatchSchema, itemSchema, newItemSchema, referenceSchema } from '../core/contract/item.ts'
import { itemEtag } from '../core/doc/item-etag.ts'
import { readItem } from '../core/doc/items.ts'
import { onBoard } from './access.ts'
import { json, noBody } from './answers.ts'
import type { BoardReader } from './board-reader.ts'
import { answerChange, appliedItemSchema, changeWaits } from './change-answer.ts'
import type { ChangeDesk } from './change-desk.ts'
import { isUnchanged } from './conditional.ts'
import type { WriteRequest } from './idempotency.ts'
import { itemPageSchema, listQuerySchema, pageOf } from './item-list.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'
import { submitChange } from './submit-change.ts'
import { boardParams, type CheckingApp, readHeaders, writeHeaders } from './validation.ts'

export interface ItemServices {
  reader: BoardReader
  desk: ChangeDesk
}

const itemParams = boardParams.extend({
  item: z.string().meta({ description: 'Id of the item.', examples: ['note-1'] }),
})
const changeHeaders = writeHeaders.extend({
  'if-match': ifMatchSchema
    .optional()
    .meta({ description: "The item's ETag, quotes included: answers 412 when it has changed since." }),
})

export function itemRoutes(app: CheckingApp, { reader, desk }: ItemServices): void {
  const items = '/boards/:board/items'
  const item = '/boards/:board/items/:item'

  app.post(
    items,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'createItem',
        summary: 'Put an item on a board',
        description: 'The board comes into being with it, where there was none.',
        tags: ['items'],
        params: boardParams,
        headers: writeHeaders,
        body: newItemSchema,
        response: {
          201: json(appliedItemSchema, 'It is on the board, as answered.', 'Location', 'ETag'),
          202: changeWaits,
        },
        problems: ['item-exists', 'board-full', 'item-invalid'],
      },
    },
    async (request, reply) => {
      const { board, body } = request
      const id = body.id ?? newItemId()
      const recorded = await submitChange(desk, request, { action: 'create', item: { ...body, id } })
      return answerChange(reply, recorded, applied =>
        reply.status(201).header('location', `/v1/boards/${board}/items/${applied.id}`),
      )
    },
  )

  app.get(
    items,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'listItems',
        summary: 'The items of a board, by id; also what people drew',
        tags: ['items'],
        params: boardParams,
        headers: readHeaders,
        querystring: listQuerySchema,
        response: {
          200: json(itemPageSchema, 'The first items, or those behind `cursor`.', 'ETag'),
          304: noBody('Nothing on the board has changed since.', 'ETag'),
        },
      },
    },
    async (request, reply) => {
      const page = await reader.read(request.board, async replica => {
        if (isUnchanged(request, reply, `"${replica.epoch}-${replica.known}"`)) return undefined
        return { ...(await pageOf(replica.doc, request.query)), seq: replica.known }
      })
      return page ?? reply.status(304).send()
    },
  )

  app.get(
    item,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'readItem',
        summary: 'One item',
        tags: ['items'],
        params: itemParams,
        headers: readHeaders,
        response: {
          200: json(itemSchema, 'The item as it is now.', 'ETag'),
          304: noBody('The item is as it was.', 'ETag'),
        },
        problems: ['item-missing'],
      },
    },
    async (request, reply) => {
      const id = itemIdOf(request.params.item)
      const found = await reader.read(request.board, ({ doc }) => readItem(doc, id))
      if (!found) throw missing()
      return isUnchanged(request, reply, itemEtag(found)) ? reply.status(304).send() : found
    },
  )

  app.patch(
    item,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'patchItem',
        summary: 'Change fields of an item',
        description:
          'JSON merge patch (RFC 7396): what it does not name stays as people and programs make it meanwhile.',
        tags: ['items'],
        consumes: ['application/merge-patch+json', 'application/json'],
        params: itemParams,
        headers: changeHeaders,
        body: itemPatchSchema,
        response: { 200: json(appliedItemSchema, 'It is changed, as answered.', 'ETag'), 202: changeWaits },
        problems: ['item-missing', 'item-changed', 'board-full', 'item-invalid'],
      },
    },
    async (request, reply) => {
      const { id: named, ...patch } = request.body
      const id = itemIdOf(request.params.item)
      if (named !== undefined && named !== id) {
        throw Problem.ofFields('item-invalid', [{ pointer: '/id', detail: 'the id of an item cannot be changed' }])
      }
      const recorded = await submitChange(desk, request, {
        action: 'update',
        item: { ...patch, id },
        ...ifMatchOf(request),
      })
      return answerChange(reply, recorded, () => reply.status(200))
    },
  )

  app.delete(
    item,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'deleteItem',
        summary: 'Take an item off a board',
        description: 'A frame takes what lies in it along. A connector of the item stays, with a free end.',
        tags: ['items'],
        params: itemParams,
        headers: changeHeaders,
        response: { 202: changeWaits, 204: noBody('It is gone.') },
        problems: ['item-missing', 'item-changed'],
      },
    },
    async (request, reply) => {
      const id = itemIdOf(request.params.item)
      const recorded = await submitChange(desk, request, { action: 'delete', item: { id }, ...ifMatchOf(request) })
      return answerChange(reply, recorded, () => reply.status(204))
    },
  )

  refuseOtherMethods(app, items, ['GET', 'HEAD', 'POST'])
  refuseOtherMethods(app, item, ['GET', 'HEAD', 'PATCH', 'DELETE'])
}

/** What can name nothing on a board is never handed in: a change has to be readable where it is decided. */
function itemIdOf(given: string): string {
  const id = referenceSchema.safeParse(given)
  if (!id.success) throw missing()
  return id.data
}

const missing = () => new Problem('item-missing', 'this board has no item of this id')

const ifMatchOf = ({ headers }: WriteRequest): { if_match?: string } =>
  headers['if-match'] === undefined ? {} : { if_match: headers['if-match'] }
