/** The pictures of a board, each under the SHA-256 of its bytes: put once, then the same for ever. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { AssetHead } from '../core/store/asset-store.ts'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { type DeclaredAnswer, json, noBody } from './answers.ts'
import { PictureBody, picturesFull, takePictures } from './asset-body.ts'
import { extensionOf, pictureTypeOf } from './asset-type.ts'
import { boardMissing } from './board-missing.ts'
import { isUnchanged } from './conditional.ts'
import { sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import { Problem } from './problems.ts'
import { boardParams, type CheckingApp, checkingRequests, readHeaders, writeHeaders } from './validation.ts'

const sha256Pattern = /^[0-9a-f]{64}$/

const assetParams = boardParams.extend({
  sha256: z.string().meta({
    description: 'SHA-256 of the bytes, 64 hex digits in lower case.',
    examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  }),
})

const assetSchema = z
  .object({
    url: z.string().meta({ description: '`content.url` of an image item.' }),
    type: z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif']).meta({ description: 'By its bytes.' }),
    size: z.int().min(1).meta({ description: 'Bytes.' }),
  })
  .meta({ id: 'Asset' })

const bytesSchema = z.unknown().meta({ type: 'string', format: 'binary' })
const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif']

const pictureBytes: DeclaredAnswer = {
  description: 'The bytes of the picture, the same for ever.',
  headers: ['ETag', 'Content-Disposition'],
  content: Object.fromEntries(pictureTypes.map(type => [type, { schema: bytesSchema }])),
}

export interface AssetServices {
  storage: Pick<Storage, 'assets'>
  writeOnce: WriteOnce
}

export async function assetRoutes(app: CheckingApp, { storage: { assets }, writeOnce }: AssetServices): Promise<void> {
  // Of its own: nowhere else are bodies anything but JSON.
  await app.register(async scope => {
    takePictures(scope)
    putAssetRoute(checkingRequests(scope), assets, writeOnce)
  })
  readAssetRoutes(app, assets)
  refuseOtherMethods(app, address, ['GET', 'HEAD', 'PUT'])
}

const address = '/boards/:board/assets/:sha256'

function putAssetRoute(app: CheckingApp, assets: Storage['assets'], writeOnce: WriteOnce): void {
  app.put(
    address,
    {
      onRequest: onBoard('write'),
      schema: {
        operationId: 'putAsset',
        summary: 'Keep a picture',
        description:
          'PNG, JPEG, WebP or GIF by what its bytes are, at most 10 MiB. The same picture may be put again. The board comes into being with it, where there was none.',
        tags: ['assets'],
        consumes: [...pictureTypes, 'application/octet-stream'],
        params: assetParams,
        headers: writeHeaders,
        body: bytesSchema,
        response: {
          200: json(assetSchema, 'The board had it already.', 'Location', 'ETag'),
          201: json(assetSchema, 'It is kept.', 'Location', 'ETag'),
        },
        problems: ['board-full', 'asset-unsupported', 'asset-hash-wrong'],
      },
    },
    async (request, reply) => {
      const { board, body } = request
      const { sha256 } = request.params
      const picture = body instanceof PictureBody ? body : undefined
      const type = picture && pictureTypeOf(picture.bytes)
      if (!picture || !type) throw new Problem('asset-unsupported', 'the body is no PNG, JPEG, WebP or GIF')
      if (picture.sha256 !== sha256) throw new Problem('asset-hash-wrong', `the SHA-256 is ${picture.sha256}`)
      const url = `/v1/boards/${board}/assets/${sha256}`
      const answer = await writeOnce(request, async sql => {
        const outcome = await assets.put(board, sha256, type, picture.bytes, sql)
        if (outcome === 'board-deleted') throw boardMissing()
        if (outcome === 'board-full') throw picturesFull()
        return {
          status: outcome === 'kept' ? 201 : 200,
          headers: { location: url, etag: `"${sha256}"` },
          body: { url, type, size: picture.bytes.byteLength },
        }
      })
      return sendAnswer(reply, answer)
    },
  )
}

function readAssetRoutes(app: CheckingApp, assets: Storage['assets']): void {
  app.get(
    address,
    {
      onRequest: onBoard('read'),
      // By hand: Fastify would read all the bytes for a HEAD.
      exposeHeadRoute: false,
      schema: {
        operationId: 'readAsset',
        summary: 'A picture',
        tags: ['assets'],
        params: assetParams,
        headers: readHeaders,
        response: { 200: pictureBytes, 304: noBody('A picture never changes.', 'ETag') },
        problems: ['asset-missing'],
      },
    },
    async (request, reply) => {
      const { board } = request
      const { sha256 } = request.params
      const found = await headOf(assets, board, sha256)
      if (isUnchanged(request, reply, `"${sha256}"`)) return describe(reply, sha256).status(304).send()
      return describe(reply, sha256, found).send(Readable.from(assets.read(board, sha256), { objectMode: false }))
    },
  )
  app.head(
    address,
    { onRequest: onBoard('read'), schema: { params: assetParams, headers: readHeaders } },
    async (request, reply) => {
      const { sha256 } = request.params
      const found = await headOf(assets, request.board, sha256)
      if (isUnchanged(request, reply, `"${sha256}"`)) return describe(reply, sha256).status(304).send()
      return describe(reply, sha256, found).send()
    },
  )
}

async function headOf(
  assets: Storage['assets'],
  board: Parameters<Storage['assets']['head']>[0],
  sha256: string,
): Promise<AssetHead> {
  const found = sha256Pattern.test(sha256) ? await assets.head(board, sha256) : undefined
  if (!found) throw new Problem('asset-missing', 'this board has no picture of this SHA-256')
  return found
}

/** Bytes that a stranger chose, from our own origin: shown as the picture they are and as nothing else. */
function describe(reply: FastifyReply, sha256: string, found?: AssetHead): FastifyReply {
  reply.headers({
    // For who asked alone: the right to the board is checked here.
    'cache-control': 'private, max-age=31536000, immutable',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  })
  if (!found) return reply
  return reply.headers({
    'content-type': found.mediaType,
    'content-length': found.size,
    'content-disposition': `inline; filename="${sha256.slice(0, 12)}.${extensionOf(found.mediaType)}"`,
  })
}
