/** Where a board's pictures are: under the SHA-256 of their bytes, so that a record holds an address and no bytes. */
import { digest } from 'lib0/hash/sha256'

/** What the server takes, by what the bytes are. */
export const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif']

const prefix = '/v1/boards/'

/** As records have it: without the server, so that it holds wherever the board is opened. */
export async function pictureAddress(boardId: string, picture: Blob): Promise<string> {
  return `${prefix}${boardId}/assets/${await sha256Of(await picture.arrayBuffer())}`
}

export const isPictureAddress = (src: string): boolean => src.startsWith(prefix) && src.includes('/assets/')

/** @param wsUrl `wss://host` or `wss://host/boards` */
export const serverOf = (wsUrl: string): string => wsUrl.replace(/^ws/, 'http').replace(/(\/boards)?\/*$/, '')

/** Browsers hash for pages of https and of this machine only. */
async function sha256Of(bytes: ArrayBuffer): Promise<string> {
  const hash = globalThis.crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    : digest(new Uint8Array(bytes))
  return [...hash].map(byte => byte.toString(16).padStart(2, '0')).join('')
}
