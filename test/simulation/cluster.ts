/** Simulated instances on one simulated database, made of the real rooms, committer, replication and item inbox. */
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { SyncError } from '../../core/base/errors.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { slicesOf } from '../../core/doc/slices.ts'
import { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { Committer } from '../../ws/room/committer.ts'
import { ItemInbox } from '../../ws/room/item-inbox.ts'
import { Replication } from '../../ws/room/replication.ts'
import { Rooms } from '../../ws/room/rooms.ts'
import type { SimulatedClient } from './client.ts'
import type { SimulatedStorage } from './database.ts'

const log = pino({ level: 'silent' })
const metrics = createMetrics()

export class SimulatedInstance {
  readonly rooms: Rooms
  readonly #committer: Committer
  readonly #monitor: StorageMonitor
  readonly #replication: Replication
  readonly #inbox: ItemInbox
  readonly #clients = new Set<SimulatedClient>()
  alive = true

  constructor(storage: SimulatedStorage, bus: Bus) {
    this.#monitor = new StorageMonitor(storage, log)
    this.#committer = new Committer(storage.boards, this.#monitor, log, metrics, { board: 2 ** 20, total: 2 ** 22 })
    this.rooms = new Rooms({
      boards: storage.boards,
      archive: storage.archive,
      committer: this.#committer,
      bus,
      instance: randomUUID(),
      idleMs: 300,
      // A thread would keep its own time.
      slice: async state => slicesOf(state),
      limits: { debounceMs: 150, maxWaitMs: 600, updateBytes: 2 ** 24, boardBytes: 2 ** 28, peers: 100, restMs: 100 },
      log,
      metrics,
    })
    this.#replication = new Replication(storage.boards, this.rooms, bus, log, 2_000)
    this.#inbox = new ItemInbox(storage.changes, this.rooms, bus, log, metrics, () => {})
    void this.#inbox.start()
  }

  async join(client: SimulatedClient, board: BoardId): Promise<void> {
    const { room, release } = await this.rooms.hold(board, true)
    if (!this.alive || client.connected) {
      release()
      return
    }
    this.#clients.add(client)
    client.connect(room, () => {
      this.#clients.delete(client)
      release()
    })
  }

  /** As SIGTERM: what waits is committed, rooms are snapshotted, clients are sent elsewhere. */
  async stop(): Promise<void> {
    this.alive = false
    this.#replication.stop()
    await this.#inbox.stop()
    await this.rooms.close(new SyncError('draining', 'stopped'))
    this.#committer.stop()
    this.#monitor.stop()
  }

  /** As `kill -9`: nothing is flushed, nobody is told. What is on its way to the database may still take effect. */
  crash(): void {
    this.alive = false
    this.#committer.stop()
    this.#monitor.stop()
    this.#replication.stop()
    void this.#inbox.stop()
    for (const client of [...this.#clients]) client.instanceCrashed()
    for (const room of [...this.rooms.open()]) this.rooms.discard(room, new SyncError('draining', 'crashed'))
  }
}
