/** The list of boards: those that a credential may read, in the order of their ids. */
import { z } from 'zod'
import type { Grant } from '../core/auth/grant.ts'
import { type BoardId, isBoardId } from '../core/contract/board-id.ts'
import { everyBoard } from '../core/contract/role.ts'
import type { BoardEntry } from '../core/store/board-directory.ts'
import type { Storage } from '../core/store/storage.ts'
import { json } from './answers.ts'
import { boardEntryDocument, boardEntrySchema } from './board-document.ts'
import { encodeCursor, nextSchema, pageQuery } from './paging.ts'
import type { CheckingApp } from './validation.ts'

const boardPageSchema = z.object({ boards: z.array(boardEntrySchema), next: nextSchema }).meta({ id: 'BoardPage' })

export function listBoardsRoute(app: CheckingApp, directory: Storage['directory']): void {
  app.get(
    '/boards',
    {
      schema: {
        operationId: 'listBoards',
        summary: 'The boards this credential may read, by id',
        tags: ['boards'],
        querystring: z.strictObject({
          ...pageQuery,
          id: z.string().optional().meta({ description: 'Only the board of this id, if there is one.' }),
        }),
        response: { 200: json(boardPageSchema, 'The first boards, or those behind `cursor`.') },
      },
    },
    async request => {
      const { limit, cursor = '', id } = request.query
      const among = id === undefined ? named(request.grant) : [id].filter(isBoardId)
      const found = await readableBoards(directory, request.grant, among, cursor, limit + 1)
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return { boards: page.map(boardEntryDocument), next: last && found.length > limit ? encodeCursor(last.id) : null }
    },
  )
}

/** The boards that a credential speaks of; undefined: of all. */
function named({ rights }: Grant): BoardId[] | undefined {
  // A token may name what is no board id: there is none of it, and what the database cannot hold it would not even look for.
  return rights.has(everyBoard) ? undefined : [...rights.keys()].filter(isBoardId)
}

/** So many of these boards behind this id. */
async function readableBoards(
  directory: Storage['directory'],
  grant: Grant,
  among: readonly BoardId[] | undefined,
  after: string,
  count: number,
): Promise<BoardEntry[]> {
  const found: BoardEntry[] = []
  for (let from = after; found.length < count; ) {
    const entries = await directory.list(from, count, among)
    found.push(...entries.filter(({ id }) => grant.roleOn(id)))
    const last = entries.at(-1)
    if (!last || entries.length < count) break
    from = last.id
  }
  return found.slice(0, count)
}
