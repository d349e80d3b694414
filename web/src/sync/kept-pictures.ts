/** Pictures that the server does not have yet, as this browser keeps them: they outlive a reload. */
import * as idb from 'lib0/indexeddb'

const storeName = 'pictures'

export class KeptPictures {
  readonly #database: Promise<IDBDatabase | undefined>
  #keepsAll = true

  constructor(name: string) {
    this.#database = idb
      .openDB(name, database => idb.createStores(database, [[storeName]]))
      .catch(error => {
        console.warn('boardsync: this browser keeps no pictures; those not uploaded live in this tab only:', error)
        this.#keepsAll = false
        return undefined
      })
  }

  /** Whether all that it was given outlives a reload. */
  get keepsAll(): boolean {
    return this.#keepsAll
  }

  /** By the id of their asset record. None where they cannot be read: the board is opened all the same. */
  async all(): Promise<Map<string, File>> {
    try {
      const store = await this.#open()
      const entries = store ? await idb.getAllKeysValues(store) : []
      return new Map(entries.filter(({ v }) => v instanceof File).map(({ k, v }) => [String(k), v]))
    } catch (error) {
      console.warn(
        'boardsync: the pictures that this browser kept cannot be read; they are left for the next visit:',
        error,
      )
      return new Map()
    }
  }

  async keep(assetId: string, picture: File): Promise<void> {
    const store = await this.#open()
    if (!store) return
    await idb.rtop(store.put(picture, assetId)).catch(error => {
      this.#keepsAll = false
      console.warn(
        'boardsync: this browser could not keep a picture; until it is uploaded it lives in this tab only:',
        error,
      )
    })
  }

  async drop(assetId: string): Promise<void> {
    const store = await this.#open()
    if (store) await idb.del(store, assetId)
  }

  async clear(): Promise<void> {
    const store = await this.#open()
    if (store) await idb.rtop(store.clear())
  }

  async close(): Promise<void> {
    ;(await this.#database)?.close()
  }

  async #open(): Promise<IDBObjectStore | undefined> {
    const database = await this.#database
    return database && idb.transact(database, [storeName])[0]
  }
}
