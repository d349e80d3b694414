/** The items of a board over REST: create, read, list, patch, delete, and what became of a change. */
import { createHash, randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BoardId } from '../core/contract/board-id.ts'
import type { ChangeOutcome, ItemChange } from '../core/contract/change.ts'
import { fieldErrors } from '../core/contract/field-error.ts'
import { type Item, itemPatchSchema, itemTypes, newItemSchema } from '../core/contract/item.ts'
import { itemEtag } from '../core/doc/item-etag.ts'
import { listItems, readItem } from '../core/doc/items.ts'
import type { ChangeOutbox, RecordedChange } from '../core/store/change-outbox.ts'
import { boardFor } from './access.ts'
import type { BoardReader } from './board-reader.ts'
import type { ChangeDesk } from './change-desk.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem, problemDocument } from './problems.ts'

export interface ItemServices {
  reader: BoardReader
  desk: ChangeDesk
  changes: ChangeOutbox
}

const listedAtMost = 500
const listedByDefault = 100

const listQuery = z.strictObject({
  type: z.enum(itemTypes).optional(),
  limit: z.coerce.number().int().min(1).max(listedAtMost).default(listedByDefault),
  cursor: z.string().max(400).transform(decodeCursor).optional(),
})

const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .optional()

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
    const body = valid(newItemSchema, request.body)
    const id = body.id ?? randomBytes(12).toString('base64url')
    const recorded = await submit(request, board, { action: 'create', item: { ...body, id } })
    return answer(reply, recorded, applied =>
      reply.status(201).header('location', `/v1/boards/${board}/items/${applied.id}`),
    )
  })

  app.get<BoardPath>(items, async (request, reply) => {
    const board = boardFor(request, 'read')
    const query = valid(listQuery, request.query)
    const replica = await reader.read(board)
    const etag = `"${replica.epoch}-${replica.known}"`
    reply.header('etag', etag)
    if (request.headers['if-none-match'] === etag) return reply.status(304).send()
    const found = listItems(replica.doc).filter(
      ({ id, type }) => (query.cursor === undefined || id > query.cursor) && (query.type ?? type) === type,
    )
    const page = found.slice(0, query.limit)
    const last = page.at(-1)
    return { items: page, next: last && found.length > page.length ? encodeCursor(last.id) : null, seq: replica.known }
  })

  app.get<ItemPath>(item, async (request, reply) => {
    const board = boardFor(request, 'read')
    const found = readItem((await reader.read(board)).doc, request.params.item)
    if (!found) throw new Problem('item-missing', 'this board has no item of this id')
    const etag = itemEtag(found)
    reply.header('etag', etag)
    return request.headers['if-none-match'] === etag ? reply.status(304).send() : found
  })

  app.patch<ItemPath>(item, async (request, reply) => {
    const board = boardFor(request, 'write')
    const { id, ...patch } = valid(itemPatchSchema, request.body)
    if (id !== undefined && id !== request.params.item) {
      throw invalidItem([{ pointer: '/id', detail: 'the id of an item cannot be changed' }])
    }
    const recorded = await submit(request, board, {
      action: 'update',
      item: { ...patch, id: request.params.item },
      ...ifMatchOf(request),
    })
    return answer(reply, recorded, () => reply.status(200))
  })

  app.delete<ItemPath>(item, async (request, reply) => {
    const board = boardFor(request, 'write')
    const recorded = await submit(request, board, {
      action: 'delete',
      item: { id: request.params.item },
      ...ifMatchOf(request),
    })
    return answer(reply, recorded, () => reply.status(204))
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
      idempotencyKey: valid(idempotencyKey, request.headers['idempotency-key'], '/Idempotency-Key'),
      requestHash: hashOf(request),
    })
  }
}

/** The answer to a change: as applied, 202 while it is pending, or the problem it was rejected with. */
function answer(reply: FastifyReply, recorded: RecordedChange, applied: (item: Item) => FastifyReply): FastifyReply {
  const outcome = outcomeOf(recorded)
  if (!outcome) {
    return reply
      .status(202)
      .header('location', `/v1/boards/${recorded.board}/changes/${recorded.publicId}`)
      .send(changeDocument(recorded))
  }
  if (outcome.status === 'rejected') throw rejection(outcome)
  const { item } = outcome
  if (!item) return reply.status(204).send()
  return applied(item)
    .header('etag', itemEtag(item))
    .send({ ...item, seq: recorded.seq })
}

function changeDocument(recorded: RecordedChange) {
  const outcome = outcomeOf(recorded)
  return {
    id: recorded.publicId,
    status: recorded.status,
    ...(recorded.seq === undefined ? {} : { seq: recorded.seq }),
    ...(outcome?.status === 'applied' && outcome.item ? { item: outcome.item } : {}),
    ...(outcome?.status === 'rejected' ? { problem: problemDocument(rejection(outcome)) } : {}),
  }
}

/** Written by the drain of this or another instance. */
const outcomeOf = ({ result }: RecordedChange): ChangeOutcome | undefined =>
  result === undefined ? undefined : (JSON.parse(result) as ChangeOutcome)

const rejection = ({ reason, detail, errors = [] }: Extract<ChangeOutcome, { status: 'rejected' }>): Problem =>
  new Problem(reason, detail, { errors })

const invalidItem = (errors: { pointer: string; detail: string }[]): Problem =>
  new Problem('item-invalid', errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), { errors })

const ifMatchOf = ({ headers }: FastifyRequest): { if_match?: string } =>
  headers['if-match'] === undefined ? {} : { if_match: headers['if-match'] }

function hashOf({ method, url, body, headers }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url, headers['if-match'] ?? null, body ?? null]))
    .digest('base64url')
}

/** @throws Problem `request-invalid` with a pointer for each fault */
function valid<T extends z.ZodType>(schema: T, value: unknown, at = ''): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = fieldErrors(parsed.error).map(error => ({ ...error, pointer: at + error.pointer }))
  throw new Problem(
    'request-invalid',
    errors.map(({ pointer, detail }) => `${pointer || 'body'}: ${detail}`).join('; '),
    {
      errors,
    },
  )
}

const encodeCursor = (id: string): string => Buffer.from(id).toString('base64url')

function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString()
}
