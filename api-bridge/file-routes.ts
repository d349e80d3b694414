/** Boards as tldraw files (.tldr): taken away whole, and brought in. */
import { Readable } from 'node:stream'
import { deepestValue } from '../core/base/any-bytes.ts'
import { importedSchema } from '../core/contract/change.ts'
import { recordsForFile } from '../core/doc/board-file.ts'
import type { Storage } from '../core/store/storage.ts'
import { acceptedOf } from './accept.ts'
import { onBoard } from './access.ts'
import { type DeclaredAnswer, json, noBody } from './answers.ts'
import type { BoardReader } from './board-reader.ts'
import { changeWaits, outcomeOrWaiting, seqSchema } from './change-answer.ts'
import type { ChangeDesk } from './change-desk.ts'
import { isUnchanged } from './conditional.ts'
import { fileOf } from './export-file.ts'
import { fileSchema, importOf } from './import-file.ts'
import { takeJson } from './json-body.ts'
import { refuseOtherMethods } from './methods.ts'
import { submitChange } from './submit-change.ts'
import { boardParams, type CheckingApp, checkingRequests, readHeaders, writeHeaders } from './validation.ts'

const fileType = 'application/vnd.tldraw+json'
const fileBytesAtMost = 16 * 1024 * 1024
/** As deep as a record on a board may be, which in a file lies in the list of records. */
const fileDeepest = 2 + deepestValue

const importAnswerSchema = importedSchema.extend({ seq: seqSchema }).meta({ id: 'ImportAnswer' })
const boardFile: DeclaredAnswer = {
  description: 'The file, which opens in tldraw anywhere.',
  headers: ['ETag', 'Content-Disposition'],
  content: { [fileType]: { schema: fileSchema }, 'application/json': { schema: fileSchema } },
}

interface FileServices {
  reader: BoardReader
  desk: ChangeDesk
  storage: Pick<Storage, 'assets'>
}

export async function fileRoutes(app: CheckingApp, services: FileServices): Promise<void> {
  exportRoute(app, services)
  // Of its own: files are larger than other bodies, and have a type of theirs.
  await app.register(async scope => {
    // Said to be what it is by hardly any program: curl and fetch have other names for the bytes of a file.
    takeJson(scope, { types: '*', bytesAtMost: fileBytesAtMost, deepest: fileDeepest })
    importRoute(checkingRequests(scope), services)
  })
}

function exportRoute(app: CheckingApp, { reader, storage }: FileServices): void {
  const url = '/boards/:board/export'
  app.get(
    url,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'exportBoard',
        summary: 'The board as a tldraw file (.tldr), with its pictures in it',
        tags: ['files'],
        params: boardParams,
        headers: readHeaders,
        response: { 200: boardFile, 304: noBody('Neither the board nor its pictures have changed since.', 'ETag') },
      },
    },
    async (request, reply) => {
      const { board } = request
      // Before the records: a picture that comes in between is in a file whose tag does not count it, and never the reverse.
      const pictures = await storage.assets.count(board)
      // All of them at once: by the time the last is sent the replica may be another.
      const records = await reader.read(board, ({ epoch, known, doc }) => {
        const etag = pictures > 0 ? `"${epoch}-${known}-${pictures}"` : `"${epoch}-${known}"`
        return isUnchanged(request, reply, etag) ? undefined : recordsForFile(doc)
      })
      if (!records) return reply.status(304).send()
      return reply
        .headers({
          'content-type': acceptedOf(request, [fileType, 'application/json']),
          'content-disposition': `attachment; filename="${board}.tldr"`,
          'x-content-type-options': 'nosniff',
        })
        .send(Readable.from(fileOf(records, board, storage.assets)))
    },
  )
  refuseOtherMethods(app, url, ['GET', 'HEAD'])
}

function importRoute(app: CheckingApp, { desk, storage }: FileServices): void {
  const url = '/boards/:board/import'
  app.post(
    url,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'importFile',
        summary: 'Put what a tldraw file (.tldr) holds on a board',
        description: `At most 16 MiB, of this version of tldraw or an older one; all of it in one change, or none. Nothing of the board is
overwritten: what has an id that the board uses already gets a new one (\`renamed\`), a page of the same id is the same page, and
shapes are drawn above those that are there. The board comes into being with it, where there was none.`,
        tags: ['files'],
        consumes: [fileType, 'application/json'],
        params: boardParams,
        headers: writeHeaders,
        body: fileSchema,
        response: {
          200: json(importAnswerSchema, 'All of it is on the board.'),
          202: changeWaits,
        },
        problems: ['board-full', 'file-unreadable', 'item-invalid'],
      },
    },
    async (request, reply) => {
      const change = await importOf(request.body, request.board, storage.assets)
      const recorded = await submitChange(desk, request, change)
      const outcome = outcomeOrWaiting(reply, recorded)
      return outcome ? { ...outcome.imported, seq: recorded.seq } : reply
    },
  )
  refuseOtherMethods(app, url, ['POST'])
}
