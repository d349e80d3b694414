/**
 * Pictures on their way to the server. Each is tried until the server has it, and kept by this browser until then; only a
 * server that says no for good, or the user, ends that.
 */
import { atom, type Signal } from '@tldraw/state'
import type { Token } from './credential.ts'
import type { KeptPictures } from './kept-pictures.ts'
import { pictureAddress } from './picture-address.ts'

export interface PictureUploadOptions {
  boardId: string
  /** `https://host` */
  server: string
  token: () => Promise<Token>
  kept: Pick<KeptPictures, 'keep' | 'drop'> | undefined
  fetch?: typeof fetch
}

export interface PictureCounts {
  /** Not on the server yet. */
  waiting: number
  /** Of those: tried in vain, to be tried again. */
  failing: number
}

interface Upload {
  readonly picture: File
  /** Of the picture, once the server has it. */
  address: Promise<string>
  readonly given: AbortController
  hasFailed: boolean
  /** Ends the pause before the next try. */
  hurry: () => void
}

const none: PictureCounts = { waiting: 0, failing: 0 }
const longestPauseMs = 15_000

export class PictureUploads {
  readonly #options: PictureUploadOptions
  readonly #uploads = new Map<string, Upload>()
  readonly #counts = atom<PictureCounts>('pictures', none)
  #isStopped = false

  constructor(options: PictureUploadOptions) {
    this.#options = options
    addEventListener('online', this.retryNow)
  }

  get counts(): Signal<PictureCounts> {
    return this.#counts
  }

  /** By the id of their asset record. */
  get waiting(): ReadonlyMap<string, File> {
    return new Map([...this.#uploads].map(([id, { picture }]) => [id, picture]))
  }

  /**
   * The same picture once more is the same asset, whose record all its shapes use: while it is on its way already, that
   * is what is waited for.
   *
   * @returns the picture's address, once the server has it
   * @throws where the server will never take it, or nobody wants it any more
   */
  upload(assetId: string, picture: File): Promise<string> {
    const underway = this.#uploads.get(assetId)
    if (underway && !underway.given.signal.aborted) return underway.address
    const begun = { picture, given: new AbortController(), hasFailed: false, hurry: () => {} }
    const upload: Upload = Object.assign(begun, { address: this.#send(assetId, begun) })
    this.#uploads.set(assetId, upload)
    this.#count()
    return upload.address
  }

  async #send(assetId: string, upload: Omit<Upload, 'address'>): Promise<string> {
    const { boardId, kept } = this.#options
    const { picture } = upload
    const isLatest = () => this.#uploads.get(assetId) === upload
    try {
      await kept?.keep(assetId, picture)
      const address = await pictureAddress(boardId, picture)
      for (let attempt = 0; !(await this.#put(address, upload)); attempt++) {
        upload.hasFailed = true
        this.#count()
        await this.#pause(attempt, upload)
      }
      await kept?.drop(assetId)
      return address
    } catch (error) {
      if (!this.#isStopped && isLatest()) await kept?.drop(assetId)
      throw error
    } finally {
      if (isLatest()) this.#uploads.delete(assetId)
      this.#count()
    }
  }

  readonly retryNow = (): void => {
    for (const { hurry } of this.#uploads.values()) hurry()
  }

  /** Gives these up for good. */
  discard(): void {
    for (const { given } of this.#uploads.values()) given.abort()
  }

  /** They stay kept, for the next visit. */
  stop(): void {
    this.#isStopped = true
    removeEventListener('online', this.retryNow)
    this.discard()
  }

  /** @returns whether the server has it now */
  async #put(address: string, { picture, given }: Pick<Upload, 'picture' | 'given'>): Promise<boolean> {
    const { server, token, fetch: ask = fetch } = this.#options
    const { signal } = given
    let answer: Response
    try {
      const credential = await token()
      const headers = { 'content-type': picture.type, ...(credential && { authorization: `Bearer ${credential}` }) }
      answer = await ask(server + address, { method: 'PUT', headers, body: picture, signal })
    } catch (error) {
      signal.throwIfAborted()
      console.warn('boardsync: a picture could not be uploaded, trying again:', error)
      return false
    }
    if (answer.ok) return true
    const { detail = '' } = (await answer.json().catch(() => ({}))) as { detail?: string }
    if (!mayPass(answer.status)) throw new Error(`the server does not take this picture (${answer.status}): ${detail}`)
    console.warn(`boardsync: a picture could not be uploaded (${answer.status}), trying again: ${detail}`)
    return false
  }

  #pause(attempt: number, upload: Pick<Upload, 'given' | 'hurry'>): Promise<void> {
    const pause = Math.min(longestPauseMs, 500 * 2 ** attempt) * (0.75 + Math.random() / 2)
    const { signal } = upload.given
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, pause)
      upload.hurry = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason)
      })
    })
  }

  #count(): void {
    const uploads = [...this.#uploads.values()]
    this.#counts.set({ waiting: uploads.length, failing: uploads.filter(({ hasFailed }) => hasFailed).length })
  }
}

/** Somebody whose session ended signs in again, a server that is busy or away comes back. */
const mayPass = (status: number): boolean => status >= 500 || [401, 408, 425, 429].includes(status)
