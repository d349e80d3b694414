import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { KeptPictures } from './kept-pictures.ts'
import { pictureAddress, serverOf } from './picture-address.ts'
import { PictureUploads } from './picture-uploads.ts'

const picture = new File(['the bytes of a picture'], 'a.png', { type: 'image/png' })
const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('the bytes of a picture')))
const address = `/v1/boards/b/assets/${Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('')}`

/** What is waited for is done elsewhere, in a thread of its own. */
const patience = { timeout: 15_000 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.stubGlobal('addEventListener', () => {})
  vi.stubGlobal('removeEventListener', () => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** A server that answers with these one after the other; `0`: not at all. */
function uploading(...statuses: number[]) {
  return uploadingAndKeeping(undefined, ...statuses)
}

function uploadingAndKeeping(kept: Pick<KeptPictures, 'keep' | 'drop'> | undefined, ...statuses: number[]) {
  const asked: { url: string; headers: Record<string, string> }[] = []
  const fetch = async (url: string | URL | Request, init?: RequestInit) => {
    asked.push({ url: String(url), headers: init?.headers as Record<string, string> })
    const status = statuses.shift()
    if (!status) throw new TypeError('no answer')
    return new Response('{}', { status })
  }
  const token = async () => 'the-token'
  const uploads = new PictureUploads({ boardId: 'b', server: 'https://host', token, kept, fetch })
  return { uploads, asked }
}

describe('a picture', () => {
  it('goes to the address of its bytes, with the token of the board', async () => {
    const { uploads, asked } = uploading(201)
    expect(await uploads.upload('asset:a', picture)).toBe(address)
    expect(asked).toEqual([
      { url: `https://host${address}`, headers: { 'content-type': 'image/png', authorization: 'Bearer the-token' } },
    ])
    expect(uploads.counts.get()).toEqual({ waiting: 0, failing: 0 })
  })

  it.each([0, 401, 429, 500, 503])('is tried again after %i, and counted as failing meanwhile', async status => {
    const { uploads, asked } = uploading(status, status, 201)
    const address = uploads.upload('asset:a', picture)
    await vi.waitFor(() => expect(uploads.counts.get()).toEqual({ waiting: 1, failing: 1 }), patience)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await address).toContain('/assets/')
    expect(asked).toHaveLength(3)
    expect(uploads.counts.get()).toEqual({ waiting: 0, failing: 0 })
  })

  it.each([403, 404, 413, 415])('is given up where the server will never take it: %i', async status => {
    const { uploads, asked } = uploading(status, 201)
    await expect(uploads.upload('asset:a', picture)).rejects.toThrow(`${status}`)
    expect(asked).toHaveLength(1)
    expect(uploads.counts.get()).toEqual({ waiting: 0, failing: 0 })
  })

  it('is given up when nobody wants it any more', async () => {
    const { uploads, asked } = uploading(0, 201)
    const address = uploads.upload('asset:a', picture)
    await vi.waitFor(() => expect(uploads.counts.get().failing).toBe(1), patience)
    uploads.discard()
    await expect(address).rejects.toThrow()
    expect(asked).toHaveLength(1)
  })

  it('that is pasted again while it is on its way is sent once, for both', async () => {
    const { uploads, asked } = uploading(503, 201)
    const first = uploads.upload('asset:a', picture)
    await vi.waitFor(() => expect(uploads.counts.get()).toEqual({ waiting: 1, failing: 1 }), patience)
    const second = uploads.upload('asset:a', picture)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await Promise.all([first, second])).toEqual([address, address])
    expect(asked).toHaveLength(2)
    expect(uploads.counts.get()).toEqual({ waiting: 0, failing: 0 })
  })

  it('that is pasted again right after it was given up stays kept until the server has it', async () => {
    const kept = { keep: vi.fn(async () => {}), drop: vi.fn(async () => {}) }
    const { uploads } = uploadingAndKeeping(kept, 0, 201)
    const first = uploads.upload('asset:a', picture)
    await vi.waitFor(() => expect(uploads.counts.get().failing).toBe(1), patience)
    uploads.discard()
    const second = uploads.upload('asset:a', picture)
    await expect(first).rejects.toThrow()
    expect(kept.drop).not.toHaveBeenCalled()
    expect(await second).toBe(address)
    expect(kept.drop).toHaveBeenCalledExactlyOnceWith('asset:a')
  })

  it('is hashed also where the browser does not hash, on pages of plain http', async () => {
    vi.stubGlobal('crypto', {})
    expect(await pictureAddress('b', picture)).toBe(address)
  })
})

it.each([
  ['wss://host', 'https://host'],
  ['ws://host:8080/boards', 'http://host:8080'],
  ['wss://host/boards/', 'https://host'],
])('sockets of %s and pictures of %s are one server’s', (wsUrl, server) => {
  expect(serverOf(wsUrl)).toBe(server)
})
