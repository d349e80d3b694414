/** For tests: as much of IndexedDB as the page uses, in memory. Transactions come one after the other, as there. */

type Stores = Map<string, Map<unknown, unknown>>

/** The clock of the tests that this is for may stand still. */
const later = globalThis.setTimeout

/** One turn of the event loop. */
export const turn = (): Promise<void> => new Promise(resolve => later(resolve))

const unanswered = Symbol('unanswered')

interface Asked {
  result?: unknown
  error?: unknown
  onsuccess?: (event: { target: Asked }) => void
  onerror?: (event: { target: Asked }) => void
  onupgradeneeded?: (event: { target: Asked }) => void
}

export class MemoryIndexedDb {
  /** By name, what each database holds. */
  readonly databases = new Map<string, Stores>()
  /** While it is, nothing is read or written. */
  isStuck = false
  /** Where it does not, who reads a whole store hears nothing, and what was asked for after it goes on. */
  answersReading = true
  /** Told for each reading of a whole store; what it throws is what the reading fails with. */
  beforeReading = (_store: string): void => {}
  /** Told for each record that is to be put; what it throws is what that fails with. */
  beforeWriting = (_store: string): void => {}
  private last: Promise<void> = Promise.resolve()
  private nextKey = 1

  open(name: string): Asked {
    const stores = this.databases.get(name) ?? new Map()
    const asked: Asked = { result: this.database(stores) }
    queueMicrotask(() => {
      if (!this.databases.has(name)) {
        this.databases.set(name, stores)
        asked.onupgradeneeded?.({ target: asked })
      }
      asked.onsuccess?.({ target: asked })
    })
    return asked
  }

  deleteDatabase(name: string): Asked {
    this.databases.delete(name)
    const asked: Asked = {}
    queueMicrotask(() => asked.onsuccess?.({ target: asked }))
    return asked
  }

  private database(stores: Stores) {
    return {
      close() {},
      createObjectStore: (name: string) => void stores.set(name, new Map()),
      transaction: () => this.transaction(stores),
    }
  }

  private transaction(stores: Stores) {
    const requests: (() => void)[] = []
    this.last = this.last.then(async () => {
      await turn()
      // A request asked for by the answer to another is still in time; with none left the next transaction begins.
      for (let request = requests.shift(); request; request = requests.shift()) {
        while (this.isStuck) await turn()
        request()
        await turn()
      }
    })
    const ask = (answer: () => unknown): Asked => {
      const asked: Asked = {}
      requests.push(() => {
        try {
          asked.result = answer()
          if (asked.result === unanswered) return
          asked.onsuccess?.({ target: asked })
        } catch (error) {
          asked.error = error
          asked.onerror?.({ target: asked })
        }
      })
      return asked
    }
    return { objectStore: (name: string) => this.store(name, stores.get(name) as Map<unknown, unknown>, ask) }
  }

  private store(name: string, records: Map<unknown, unknown>, ask: (answer: () => unknown) => Asked) {
    const put = (value: unknown, key: unknown = this.nextKey++) =>
      ask(() => {
        this.beforeWriting(name)
        records.set(key, value)
      })
    return {
      put,
      add: put,
      clear: () => ask(() => records.clear()),
      delete: (key: unknown) => ask(() => records.delete(key)),
      count: () => ask(() => records.size),
      getAllKeys: () => ask(() => [...records.keys()]),
      getAll: () =>
        ask(() => {
          this.beforeReading(name)
          return this.answersReading ? [...records.values()] : unanswered
        }),
      openKeyCursor: () => ask(() => (records.size === 0 ? null : { key: [...records.keys()].at(-1) })),
    }
  }
}

/** What a key range is made of is of no account here: all is read. */
export const memoryKeyRange = { lowerBound: () => undefined, upperBound: () => undefined }
