/** The items of a board over REST: create, read, list, patch, delete, and what became of a change. */
import { createHash, randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BoardId } from '../core/contract/board-id.ts'
import { type ItemChange, ifMatchSchema } from '../core/contract/change.ts'
import { itemPatchSchema, newItemSchema, referenceSchema } from '../core/contract/item.ts'
import { itemEtag } from '../core/doc/item-etag.ts'
import { readItem } from '../core/doc/items.ts'
import type { RecordedChange } from '../core/store/change-outbox.ts'
import type { Storage } from '../core/store/storage.ts'
import { boardFor } from './access.ts'
import type { BoardReader } from './board-reader.ts'
import { answerChange, changeDocument } from './change-answer.ts'
import type { ChangeDesk } from './change-desk.ts'
import { checked, idempotencyKeySchema } from './checked.ts'
import { isUnchanged } from './conditional.ts'
import { listQuerySchema, pageOf } from './item-list.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'

export interface ItemServices {
  reader: BoardReader
  desk: ChangeDesk
  changes: Storage['changes']
}

interface BoardPath {
  Params: { board: string }
}
interface ItemPath {
  Params: { board: string; item: string }
}
interface ChangePath {
  Params: { board: string; change: string }
}

export function itemRoutes(app: FastifyInstance, { reader, desk, changes }: ItemServices): void {
  const items = '/boards/:board/items'
  const item = '/boards/:board/items/:item'
  const change = '/boards/:board/changes/:change'

  app.post<BoardPath>(items, async (request, reply) => {
    const board = boardFor(request, 'write')
    const body = checked(newItemSchema, request.body)
    const id = body.id ?? randomBytes(12).toString('base64url')
    const recorded = await submit(request, board, { action: 'create', item: { ...body, id } })
    return answerChange(reply, recorded, applied =>
      reply.status(201).header('location', `/v1/boards/${board}/items/${applied.id}`),
    )
  })

  app.get<BoardPath>(items, async (request, reply) => {
    const board = boardFor(request, 'read')
    const query = checked(listQuerySchema, request.query)
    const replica = await reader.read(board)
    if (isUnchanged(request, reply, `"${replica.epoch}-${replica.known}"`)) return reply.status(304).send()
    return { ...pageOf(replica.doc, query), seq: replica.known }
  })

  app.get<ItemPath>(item, async (request, reply) => {
    const board = boardFor(request, 'read')
    const found = readItem((await reader.read(board)).doc, itemIdIn(request))
    if (!found) throw missing()
    return isUnchanged(request, reply, itemEtag(found)) ? reply.status(304).send() : found
  })

  app.patch<ItemPath>(item, async (request, reply) => {
    const board = boardFor(request, 'write')
    const { id: named, ...patch } = checked(itemPatchSchema, request.body)
    const id = itemIdIn(request)
    if (named !== undefined && named !== id) {
      throw Problem.ofFields('item-invalid', [{ pointer: '/id', detail: 'the id of an item cannot be changed' }])
    }
    const recorded = await submit(request, board, { action: 'update', item: { ...patch, id }, ...ifMatchOf(request) })
    return answerChange(reply, recorded, () => reply.status(200))
  })

  app.delete<ItemPath>(item, async (request, reply) => {
    const board = boardFor(request, 'write')
    const id = itemIdIn(request)
    const recorded = await submit(request, board, { action: 'delete', item: { id }, ...ifMatchOf(request) })
    return answerChange(reply, recorded, () => reply.status(204))
  })

  app.get<ChangePath>(change, async request => {
    const board = boardFor(request, 'read')
    const id = z.uuid().safeParse(request.params.change)
    const recorded = id.success ? await changes.find(board, id.data) : undefined
    if (!recorded) throw new Problem('change-missing', 'this board knows no change of this id')
    return changeDocument(recorded)
  })

  refuseOtherMethods(app, items, ['GET', 'HEAD', 'POST'])
  refuseOtherMethods(app, item, ['GET', 'HEAD', 'PATCH', 'DELETE'])
  refuseOtherMethods(app, change, ['GET', 'HEAD'])

  function submit(request: FastifyRequest, board: BoardId, wanted: ItemChange): Promise<RecordedChange> {
    return desk.submit({
      board,
      change: wanted,
      actor: `agent:${request.grant.subject}`,
      idempotencyKey: checked(idempotencyKeySchema, request.headers['idempotency-key'], '/Idempotency-Key'),
      requestHash: hashOf(request),
    })
  }
}

/** What can name nothing on a board is never handed in: a change has to be readable where it is decided. */
function itemIdIn(request: FastifyRequest<ItemPath>): string {
  const id = referenceSchema.safeParse(request.params.item)
  if (!id.success) throw missing()
  return id.data
}

const missing = () => new Problem('item-missing', 'this board has no item of this id')

function ifMatchOf({ headers }: FastifyRequest): { if_match?: string } {
  if (headers['if-match'] === undefined) return {}
  return { if_match: checked(ifMatchSchema, headers['if-match'], '/If-Match') }
}

/** By what was asked, not by how the address was spelt or which credential stood in it. */
function hashOf({ method, routeOptions, params, body, headers }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, routeOptions.url, params, headers['if-match'] ?? null, body ?? null]))
    .digest('base64url')
}
