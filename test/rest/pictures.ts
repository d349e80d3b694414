/** Pictures for tests, as their bytes begin; and how they are put on a board. */
import { createHash } from 'node:crypto'
import type { Site } from '../kit/site.ts'

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** One pixel, whole. */
export const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const heads = {
  'image/png': Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  'image/jpeg': Buffer.from('\xff\xd8\xff\xe0', 'latin1'),
  'image/gif': Buffer.from('GIF89a', 'latin1'),
  'image/webp': Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1'),
}
export const pictureTypes = Object.keys(heads) as (keyof typeof heads)[]

/** @returns so many bytes that begin like a picture of this type */
export function pictureOf(type: keyof typeof heads, size = 64): Buffer {
  const bytes = Buffer.alloc(size, type)
  heads[type].copy(bytes)
  return bytes
}

export const assetUrl = (board: string, bytes: Uint8Array): string => `/v1/boards/${board}/assets/${sha256(bytes)}`

export const putPicture = (
  at: Site,
  board: string,
  bytes: Buffer,
  { url = assetUrl(board, bytes), type = 'application/octet-stream', headers = {} } = {},
) =>
  at.app.inject({
    method: 'PUT',
    url,
    headers: { host: 'localhost', 'content-type': type, ...headers },
    payload: bytes,
  })
