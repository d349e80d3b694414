/** The pictures of one board for tldraw: uploaded when they are dropped or pasted, shown by their address. */
import type { Signal } from '@tldraw/state'
import type { TLAsset, TLAssetStore, TLRecord, TLStore } from '@tldraw/tlschema'
import type { Token, TokenSource } from './credential.ts'
import { KeptPictures } from './kept-pictures.ts'
import { isPictureAddress, serverOf } from './picture-address.ts'
import { type PictureCounts, PictureUploads } from './picture-uploads.ts'

export interface BoardPicturesOptions {
  boardId: string
  wsUrl: string
  token: () => TokenSource
  /** Under what name this browser keeps pictures until they are uploaded; undefined: it does not. */
  keepAs: string | undefined
}

export class BoardPictures {
  readonly assets: TLAssetStore
  readonly #server: string
  readonly #token: () => Promise<Token>
  readonly #kept: KeptPictures | undefined
  readonly #uploads: PictureUploads
  #store: TLStore | undefined
  #earlier: ReadonlyMap<string, File> = new Map()
  /** Of pictures that an `<img>` could not ask for, as it carries no token: where they are in this page. */
  readonly #fetched = new Map<string, Promise<string | null>>()

  constructor({ boardId, wsUrl, token, keepAs }: BoardPicturesOptions) {
    this.#server = serverOf(wsUrl)
    this.#token = async () => {
      const source = token()
      return typeof source === 'function' ? source() : source
    }
    this.#kept = keepAs === undefined ? undefined : new KeptPictures(keepAs)
    this.#uploads = new PictureUploads({ boardId, server: this.#server, token: this.#token, kept: this.#kept })
    this.assets = {
      upload: async ({ id }, file) => ({ src: await this.#uploads.upload(id, file) }),
      resolve: asset => this.#resolve(asset),
    }
  }

  get counts(): Signal<PictureCounts> {
    return this.#uploads.counts
  }

  /** What the server does not have yet, by the id of the asset record. */
  get waiting(): ReadonlyMap<string, File> {
    return this.#uploads.waiting
  }

  /** Whether those outlive a reload. */
  get areKept(): boolean {
    return this.#kept?.keepsAll ?? false
  }

  /** Reads what an earlier visit could not upload. */
  async load(): Promise<void> {
    this.#earlier = (await this.#kept?.all()) ?? new Map()
  }

  /** Goes on with that. Call once the store holds the board. */
  resume(store: TLStore): void {
    this.#store = store
    for (const [id, picture] of this.#earlier) {
      const asset = store.get(id as TLAsset['id'])
      if (asset?.type === 'image' && !asset.props.src) void this.#finish(store, asset.id, picture)
      else void this.#kept?.drop(id)
    }
    this.#earlier = new Map()
  }

  retryNow(): void {
    this.#uploads.retryNow()
  }

  /** Gives up what the server does not have, and takes it off the board. */
  discard(): void {
    const store = this.#store
    if (!store) return
    const given = this.#uploads.waiting
    const isOf = (id: unknown) => typeof id === 'string' && given.has(id)
    const shows = (record: TLRecord) =>
      record.typeName === 'shape' && 'assetId' in record.props && isOf(record.props.assetId)
    const gone = store.allRecords().filter(record => shows(record) || isOf(record.id))
    store.remove(gone.map(({ id }) => id))
    this.#uploads.discard()
  }

  async forget(): Promise<void> {
    await this.#kept?.clear()
  }

  stop(): void {
    this.#uploads.stop()
    void this.#kept?.close()
    for (const fetched of this.#fetched.values()) void fetched.then(url => url && URL.revokeObjectURL(url))
  }

  async #finish(store: TLStore, id: TLAsset['id'], picture: File): Promise<void> {
    try {
      const src = await this.#uploads.upload(id, picture)
      store.update(id, asset => ({ ...asset, props: { ...asset.props, src } }) as TLAsset)
    } catch (error) {
      console.warn('boardsync: a picture of an earlier visit was not uploaded:', error)
    }
  }

  #resolve({ props: { src } }: TLAsset): string | null | Promise<string | null> {
    if (!src || !isPictureAddress(src)) return src ?? null
    const known = this.#fetched.get(src)
    if (known) return known
    const fetched = this.#fetchWithToken(src)
    this.#fetched.set(src, fetched)
    return fetched
  }

  async #fetchWithToken(src: string): Promise<string | null> {
    const url = this.#server + src
    const token = await this.#token()
    if (!token) return url
    try {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
      return URL.createObjectURL(await answer.blob())
    } catch (error) {
      console.warn('boardsync: a picture cannot be shown:', error)
      this.#fetched.delete(src)
      return null
    }
  }
}
