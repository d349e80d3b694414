/**
 * A board as this browser keeps it, so that edits made while the server is away outlive a reload.
 *
 * y-indexeddb keeps the document: every update, whoever made it. Beside it stands, for each client id this browser has
 * edited with, how far the server has confirmed what it wrote. From the two follows at the next visit
 * - what is still to be saved: what an own client id wrote beyond that;
 * - what the server has to know already: all the rest. A server that does not know it has begun the board anew (purged and
 *   made again, or a restored backup). Then what was kept here is not its past, and must not be pushed into it.
 */
import * as idb from 'lib0/indexeddb'
import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import type { IdRange, SavedEdits, Unsaved } from './saved.ts'

/** What is kept of a client id of ours. */
interface OwnClient {
  /** The clock up to which its edits are committed. */
  confirmed: number
  /** What it deleted and was not told to be committed. */
  deleted: IdRange[]
  /** When this was noted, in milliseconds since 1970. */
  at: number
}

const stores = { updates: 'updates', own: 'custom' } as const
/** Confirmations come with every frame of a drag; a stale one costs nothing but a second look at the next visit. */
const noteEveryMs = 300
/** Every visit has a client id of its own; one with nothing left to save is remembered as long as a tab may stay open. */
const rememberOwnMs = 30 * 24 * 3_600_000

export class BoardCache {
  /** Whether it held anything of this board. */
  readonly heldBoard: boolean
  /** What of it the server had not confirmed. */
  readonly unsaved: Unsaved
  /** What the server has to know, by client id, if the board is still the same. */
  readonly confirmed: ReadonlyMap<number, number>
  readonly #persistence: IndexeddbPersistence
  readonly #doc: Y.Doc
  readonly #ownClients: Set<number>
  #timer: ReturnType<typeof setTimeout> | undefined
  #isForgotten = false

  private constructor(persistence: IndexeddbPersistence, doc: Y.Doc, own: ReadonlyMap<number, OwnClient>) {
    this.#persistence = persistence
    this.#doc = doc
    const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
    this.heldBoard = clocks.size > 0
    this.unsaved = unsavedOf(clocks, own)
    this.confirmed = confirmedOf(clocks, own)
    const clients = [...own].filter(
      ([client, { confirmed, deleted }]) => deleted.length > 0 || confirmed < (clocks.get(client) ?? 0),
    )
    this.#ownClients = new Set([doc.clientID, ...clients.map(([client]) => client)])
  }

  /**
   * Fills the document with what is kept under this name, and keeps it from then on.
   *
   * @throws where the browser has no IndexedDB or refuses it (some private windows); where what it holds is not read in
   *   time: then it stays for the next visit, and the document gets nothing of it; or where that cannot be read: then it is
   *   deleted, and the document may have got a part of it
   */
  static async open(name: string, doc: Y.Doc): Promise<BoardCache> {
    // y-indexeddb leaves a failure to open to nobody.
    const trial = await idb.openDB(name, db =>
      idb.createStores(db, [[stores.updates, { autoIncrement: true }], [stores.own]]),
    )
    trial.close()
    const persistence = new IndexeddbPersistence(name, doc)
    guardWrites(persistence)
    let own: Map<number, OwnClient> | undefined
    try {
      if (await inTime(loaded(persistence))) own = await readOwn(persistence)
    } catch (error) {
      await persistence.destroy()
      await idb.deleteDB(name)
      throw error
    }
    if (!own) {
      // Not waited for: it may be as slow as the reading is.
      void persistence.destroy()
      throw new Error('IndexedDB is slow; what it holds of this board is left for the next visit')
    }
    // Before the first edit: what is written under this id is not confirmed until the server says so.
    try {
      await persistence.set(String(doc.clientID), { confirmed: 0, deleted: [], at: Date.now() } as never)
    } catch (error) {
      // A full disk. What was read is as good as ever; an edit kept without that note would be taken for confirmed.
      doc.off('update', persistence._storeUpdate)
      console.warn('boardsync: this browser cannot keep the edits of this visit:', error)
    }
    return new BoardCache(persistence, doc, own)
  }

  /** Whether edits made now outlive a reload. */
  get isKeeping(): boolean {
    return !this.#isForgotten && (this.#doc._observers.get('update')?.has(this.#persistence._storeUpdate) ?? false)
  }

  /** Keeps, soon, how far the server has confirmed. */
  note(saved: SavedEdits): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.noteNow(saved)
    }, noteEveryMs)
  }

  noteNow(saved: SavedEdits): void {
    const { db } = this.#persistence
    // What a page notes as it closes would else be all that is kept: deletions that no server will ever confirm.
    if (!db || this.#isForgotten) return
    const at = Date.now()
    const deleted = saved.unsavedDeletions
    write(db, own => {
      for (const client of this.#ownClients) {
        const ofClient: OwnClient = {
          confirmed: saved.confirmedOf(client),
          // Whose records they were says nothing about who deleted them: all of it is noted here.
          deleted: client === this.#doc.clientID ? deleted : [],
          at,
        }
        own.put(ofClient, String(client))
      }
    })
  }

  /** Whether a server with this state vector has what was confirmed. */
  isKnownTo(server: ReadonlyMap<number, number>): boolean {
    return [...this.confirmed].every(([client, clock]) => (server.get(client) ?? 0) >= clock)
  }

  /** Forgets the board. What happens to the document afterwards is not kept, nor how far it is saved. */
  async clear(): Promise<void> {
    this.#isForgotten = true
    this.stop()
    const { db } = this.#persistence
    if (!db) return
    // Not by deleting the database: other tabs may have it open.
    const [updates, own] = idb.transact(db, [stores.updates, stores.own]) as [IDBObjectStore, IDBObjectStore]
    await Promise.all([idb.rtop(updates.clear()), idb.rtop(own.clear())])
  }

  stop(): void {
    clearTimeout(this.#timer)
    // y-indexeddb's compaction, which would write the whole document once more.
    clearTimeout(this.#persistence._storeTimeoutId)
    this.#doc.off('update', this.#persistence._storeUpdate)
  }

  async close(): Promise<void> {
    this.stop()
    await this.#persistence.destroy()
  }
}

/** What own clients wrote and nobody confirmed. */
export function unsavedOf(clocks: ReadonlyMap<number, number>, own: ReadonlyMap<number, OwnClient>): Unsaved {
  const written: IdRange[] = []
  const deleted: IdRange[] = []
  for (const [client, { confirmed, deleted: ranges }] of own) {
    const length = (clocks.get(client) ?? 0) - confirmed
    if (length > 0) written.push({ client, clock: confirmed, length })
    deleted.push(...ranges)
  }
  return { written, deleted }
}

export function confirmedOf(
  clocks: ReadonlyMap<number, number>,
  own: ReadonlyMap<number, OwnClient>,
): Map<number, number> {
  const confirmed = new Map<number, number>()
  for (const [client, clock] of clocks) {
    const certain = Math.min(clock, own.get(client)?.confirmed ?? clock)
    if (certain > 0) confirmed.set(client, certain)
  }
  return confirmed
}

/** y-indexeddb says nothing of what it cannot read: it is never done then. */
async function loaded(persistence: IndexeddbPersistence): Promise<void> {
  const db = await persistence._db
  // IndexedDB begins this when y-indexeddb's own transaction on these updates, which came first, has ended.
  const [updates] = idb.transact(db, [stores.updates]) as [IDBObjectStore]
  await idb.count(updates)
  if (!persistence.synced) throw new Error('what IndexedDB holds of this board cannot be read')
}

/** @returns whether it was done before a user would rather go on without */
async function inTime(done: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLong = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), longestLoadMs)
  })
  try {
    return await Promise.race([done.then(() => true), tooLong])
  } finally {
    clearTimeout(timer)
  }
}

const longestLoadMs = 10_000

async function readOwn(persistence: IndexeddbPersistence): Promise<Map<number, OwnClient>> {
  if (!persistence.db) return new Map()
  const [own] = idb.transact(persistence.db, [stores.own]) as [IDBObjectStore]
  const entries = (await idb.getAllKeysValues(own)) as unknown as { k: string; v: OwnClient }[]
  for (const { k, v } of entries) {
    if (v.at < Date.now() - rememberOwnMs && v.confirmed >= Y.getState(persistence.doc.store, Number(k))) own.delete(k)
  }
  return new Map(entries.map(({ k, v }) => [Number(k), v]))
}

/** A database that another tab has closed, or a full disk, must not stop the edit that was to be kept. */
function guardWrites(persistence: IndexeddbPersistence): void {
  const { doc, _storeUpdate: store } = persistence
  doc.off('update', store)
  persistence._storeUpdate = (update, origin) => {
    try {
      store(update, origin)
    } catch (error) {
      doc.off('update', persistence._storeUpdate)
      console.warn('boardsync: this browser no longer keeps the board:', error)
    }
  }
  doc.on('update', persistence._storeUpdate)
}

function write(db: IDBDatabase, change: (own: IDBObjectStore) => void): void {
  try {
    change(...(idb.transact(db, [stores.own]) as [IDBObjectStore]))
  } catch (error) {
    console.warn('boardsync: what is saved could not be noted:', error)
  }
}
