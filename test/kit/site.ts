/** An instance inside the test process, on a free port: for what is easier to ask, hold or break from within. */

import type { AddressInfo } from 'node:net'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { pino } from 'pino'
import * as Y from 'yjs'
import type { Authenticate } from '../../core/auth/authenticate.ts'
import { readConfig } from '../../core/base/config.ts'
import { createMetrics, type Metrics } from '../../core/base/metrics.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { Replica } from '../../core/doc/replica.ts'
import { openStorage, type Storage } from '../../core/store/storage.ts'
import { type Instance, runInstance } from '../../instance.ts'
import type { ItemInbox } from '../../ws/room/item-inbox.ts'
import type { Rooms } from '../../ws/room/rooms.ts'
import type { Sockets } from '../../ws/server/sockets.ts'
import type { Stoppable } from './releasing.ts'
import { connectStock, type StockClient } from './stock-client.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const silent = pino({ level: 'silent' })

export interface SiteOptions {
  /** Default: an embedded database of its own. */
  storage?: Storage
  /** By name, as in `.env.example`. */
  settings?: Record<string, string>
  /** Default: as the settings say. */
  authenticate?: Authenticate
  /** How often boards are compared with the store. */
  compareEveryMs?: number
  /** Whether changes are applied as they come in. Default true. */
  applies?: boolean
  bus?: Bus
  /** The folder of the built page. Default: none is served. */
  page?: string
}

/** The embedded database in this folder. */
export const openEmbeddedStorage = (directory: string): Promise<Storage> =>
  openStorage(readConfig({ DATA_DIR: directory }), silent)

/** An embedded database in a folder of its own, which goes when it is stopped. */
export async function embeddedStorage(): Promise<Storage & Stoppable> {
  const folder = temporaryFolder()
  const storage = await openEmbeddedStorage(folder.path)
  const stop = async () => {
    await storage.close()
    folder.stop()
  }
  return { ...storage, stop }
}

export class Site implements Stoppable {
  readonly storage: Storage
  readonly metrics: Metrics
  readonly #instance: Instance
  readonly #own: Stoppable | undefined
  /** What the instance could not close, as log lines. */
  readonly #failures: string[]

  private constructor(
    storage: Storage,
    metrics: Metrics,
    instance: Instance,
    own: Stoppable | undefined,
    failures: string[],
  ) {
    this.storage = storage
    this.metrics = metrics
    this.#instance = instance
    this.#own = own
    this.#failures = failures
  }

  static async start({ settings = {}, ...options }: SiteOptions = {}): Promise<Site> {
    const own = options.storage ? undefined : await embeddedStorage()
    const storage = options.storage ?? own
    if (!storage) throw new Error('a site has a storage')
    const failures: string[] = []
    const note = (line: string) => {
      if (line.includes('could not be closed')) failures.push(line)
    }
    const metrics = createMetrics()
    const instance = await runInstance({
      config: readConfig({ PORT: '0', ...settings }),
      log: pino({ level: 'error' }, { write: note }),
      metrics,
      storage,
      bus: options.bus ?? createInProcessBus(silent),
      authenticate: options.authenticate,
      compareEveryMs: options.compareEveryMs ?? 100,
      drains: options.applies,
      page: options.page,
    })
    return new Site(storage, metrics, instance, own, failures)
  }

  get app(): FastifyInstance {
    return this.#instance.app
  }

  get rooms(): Rooms {
    return this.#instance.rooms
  }

  get sockets(): Sockets {
    return this.#instance.sockets
  }

  get inbox(): ItemInbox {
    return this.#instance.inbox
  }

  get url(): string {
    return `http://127.0.0.1:${(this.app.server.address() as AddressInfo).port}`
  }

  get wsUrl(): string {
    return this.url.replace('http', 'ws')
  }

  async stop(): Promise<void> {
    await this.#instance.stop()
    await this.#own?.stop()
    if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'))
  }

  /** @param body sent as JSON; a string is sent as it is */
  ask(method: NonNullable<InjectOptions['method']>, url: string, body?: unknown, headers: Record<string, string> = {}) {
    const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    return this.app.inject({ method, url, headers: { host: 'localhost', ...type, ...headers }, ...payload })
  }

  /** A person who has the board open. */
  async join(board: string, doc = new Y.Doc()): Promise<StockClient> {
    const client = connectStock(this.wsUrl, board, { doc })
    await client.synced
    return client
  }

  /** The board as the log alone has it. */
  async logged(board: string): Promise<Y.Doc> {
    const stored = await this.storage.archive.read(parseBoardId(board), 0)
    if (!stored) throw new Error(`no board ${board}`)
    return new Replica(stored).doc
  }

  /** Everything a counter has counted, over this label. */
  async counted(name: string, labels: Record<string, string>): Promise<number> {
    const metrics = await this.metrics.registry.getMetricsAsJSON()
    const values = metrics.find(metric => metric.name === name)?.values ?? []
    const fitting = values.filter(value =>
      Object.entries(labels).every(([label, wanted]) => (value.labels as Record<string, unknown>)[label] === wanted),
    )
    return fitting.reduce((sum, { value }) => sum + value, 0)
  }
}

let boards = 0
/** A board that no other test of the file has. */
export const freshBoard = (): string => `board-${++boards}`
