/** The body of a picture as it arrives: hashed and measured chunk by chunk, so that a large one holds nobody up. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { boardPictureBytes } from '../core/store/asset-store.ts'
import { refuseEncoded } from './content-encoding.ts'
import { Problem } from './problems.ts'

export const pictureBytesAtMost = 10 * 1024 * 1024

export class PictureBody {
  readonly bytes: Uint8Array
  /** 64 hex digits. */
  readonly sha256: string

  constructor(bytes: Uint8Array, sha256: string) {
    this.bytes = bytes
    this.sha256 = sha256
  }

  /** What tells it from another one; its bytes as JSON would be ten times as long. */
  toJSON(): string {
    return this.sha256
  }
}

/** Bodies of `app` are pictures, as {@link PictureBody}, whatever they are said to be: their bytes tell. */
export function takePictures(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request: FastifyRequest, body: IncomingMessage) => receive(body))
}

/** What comes over the limit is read and dropped: a sender that is cut off would not hear why. */
async function receive(body: IncomingMessage): Promise<PictureBody> {
  refuseEncoded(body.headers)
  const hash = createHash('sha256')
  const chunks: Uint8Array[] = []
  if (Number(body.headers['content-length'] ?? 0) > pictureBytesAtMost) throw tooLarge()
  let size = 0
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > pictureBytesAtMost) throw tooLarge()
    hash.update(chunk)
    chunks.push(chunk)
  }
  return new PictureBody(Buffer.concat(chunks), hash.digest('hex'))
}

export const picturesFull = () =>
  new Problem('board-full', `a board's pictures come to at most ${boardPictureBytes} bytes`)

const tooLarge = () => new Problem('body-too-large', `a picture has at most ${pictureBytesAtMost} bytes`)
