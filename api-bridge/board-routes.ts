/** The life of boards over REST: create, list, read, rename, delete, restore. */
import { randomBytes } from 'node:crypto'
import type { Grant } from '../core/auth/grant.ts'
import type { Bus } from '../core/bus/bus.ts'
import { type BoardId, parseBoardId } from '../core/contract/board-id.ts'
import { boardsChannel } from '../core/contract/channels.ts'
import { mayWrite } from '../core/contract/role.ts'
import { countItems } from '../core/doc/item-count.ts'
import type { BoardEntry } from '../core/store/board-directory.ts'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { json, noBody } from './answers.ts'
import {
  boardEntryDocument,
  boardEntrySchema,
  boardPatchSchema,
  boardSchema,
  newBoardSchema,
} from './board-document.ts'
import { listBoardsRoute } from './board-list.ts'
import { boardMissing } from './board-missing.ts'
import type { BoardReader } from './board-reader.ts'
import { type Answer, sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'
import { boardParams, type CheckingApp, writeHeaders } from './validation.ts'
import type { WhoIsHere } from './who-is-here.ts'

export interface BoardServices {
  storage: Pick<Storage, 'directory'>
  reader: BoardReader
  bus: Bus
  writeOnce: WriteOnce
  whoIsHere: WhoIsHere
}

const boards = '/boards'
const board = '/boards/:board'
const restore = '/boards/:board/restore'

export function boardRoutes(app: CheckingApp, services: BoardServices): void {
  const { storage, reader, bus, writeOnce, whoIsHere } = services
  const { directory } = storage
  createBoardRoute(app, services)
  listBoardsRoute(app, directory)

  app.get(
    board,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'readBoard',
        summary: 'A board, and who is here',
        tags: ['boards'],
        params: boardParams,
        response: { 200: json(boardSchema, 'The board as it is now.') },
      },
    },
    async (request, reply) => {
      const entry = await directory.find(request.board)
      if (!entry) throw boardMissing()
      const here = await whoIsHere.on(request.board)
      const counted = await reader.read(request.board, async ({ known, doc }) => ({
        seq: known,
        item_count: await countItems(doc),
      }))
      return reply.header('cache-control', 'no-store').send({ ...boardEntryDocument(entry), ...counted, ...here })
    },
  )

  app.patch(
    board,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'renameBoard',
        summary: 'Give a board another title, or none',
        tags: ['boards'],
        consumes: ['application/merge-patch+json', 'application/json'],
        params: boardParams,
        headers: writeHeaders,
        body: boardPatchSchema,
        response: { 200: json(boardEntrySchema, 'It has the title that is answered.') },
      },
    },
    async (request, reply) => {
      const { title } = request.body
      const answer = await writeOnce(request, async sql => {
        // A patch that names nothing changes nothing.
        if (title === undefined) return ok(await directory.find(request.board, sql))
        return ok(await directory.rename(sql, request.board, title ?? undefined))
      })
      return sendAnswer(reply, answer)
    },
  )

  app.delete(
    board,
    {
      onRequest: onBoard('admin'),
      schema: {
        operationId: 'deleteBoard',
        summary: 'Delete a board',
        description:
          'Whoever has it open is sent away. For 30 days it can be restored and its id is not free; then everything of it is purged.',
        tags: ['boards'],
        params: boardParams,
        headers: writeHeaders,
        response: { 204: noBody('It is deleted.') },
      },
    },
    async (request, reply) => {
      const answer = await writeOnce(request, async sql => {
        if (!(await directory.remove(sql, request.board))) throw boardMissing()
        return { status: 204 }
      })
      tellInstances(request.board)
      return sendAnswer(reply, answer)
    },
  )

  app.post(
    restore,
    {
      onRequest: onBoard('admin'),
      schema: {
        operationId: 'restoreBoard',
        summary: 'Bring a deleted board back, with all that was on it',
        tags: ['boards'],
        params: boardParams,
        headers: writeHeaders,
        response: { 200: json(boardEntrySchema, 'It is there again, or was there all the time.') },
      },
    },
    async (request, reply) => {
      const answer = await writeOnce(request, async sql => ok(await directory.restore(sql, request.board)))
      tellInstances(request.board)
      return sendAnswer(reply, answer)
    },
  )

  refuseOtherMethods(app, boards, ['GET', 'HEAD', 'POST'])
  refuseOtherMethods(app, board, ['GET', 'HEAD', 'PATCH', 'DELETE'])
  refuseOtherMethods(app, restore, ['POST'])

  function tellInstances(board: BoardId): void {
    bus.publish(boardsChannel, new TextEncoder().encode(board))
  }
}

function createBoardRoute(app: CheckingApp, { storage, writeOnce }: BoardServices): void {
  app.post(
    boards,
    {
      schema: {
        operationId: 'createBoard',
        summary: 'Bring a board into being',
        description: 'A board also comes into being when somebody who may write opens it, or posts an item to it.',
        tags: ['boards'],
        headers: writeHeaders,
        body: newBoardSchema.nullish(),
        response: { 201: json(boardEntrySchema, 'It is there.', 'Location') },
        problems: ['board-exists'],
      },
    },
    async (request, reply) => {
      // Its id is the secret of those who have it, where no credential is asked for.
      const { id: wanted, title } = request.body ?? {}
      const id = parseBoardId(wanted ?? randomBytes(16).toString('base64url'))
      requireWrite(request.grant, id)
      const answer = await writeOnce(request, async sql => {
        const entry = await storage.directory.create(sql, id, title ?? undefined)
        if (!entry)
          throw new Problem('board-exists', 'there is a board of this id, or one was deleted in the last 30 days')
        return { status: 201, headers: { location: `/v1/boards/${id}` }, body: boardEntryDocument(entry) }
      })
      return sendAnswer(reply, answer)
    },
  )
}

function requireWrite(grant: Grant, board: BoardId): void {
  const role = grant.roleOn(board)
  if (!role || !mayWrite(role)) throw new Problem('forbidden', 'this credential may not bring this board into being')
}

function ok(entry: BoardEntry | undefined): Answer {
  if (!entry) throw boardMissing()
  return { status: 200, body: boardEntryDocument(entry) }
}
