/**
 * What an instance does on boards, put together: their rooms, what commits their edits, who is seen on them, and the changes and
 * messages that programs hand in.
 */
import type { Config } from '../../core/base/config.ts'
import { SyncError } from '../../core/base/errors.ts'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import type { Releasers } from '../../core/base/releasers.ts'
import type { Bus } from '../../core/bus/bus.ts'
import type { Storage } from '../../core/store/storage.ts'
import type { StorageMonitor } from '../../core/store/storage-monitor.ts'
import { Agents } from './agents.ts'
import { Committer } from './committer.ts'
import { ItemInbox } from './item-inbox.ts'
import { PresenceKeeper } from './presence-keeper.ts'
import { RawIntake } from './raw-intake.ts'
import { Replication } from './replication.ts'
import { Rooms } from './rooms.ts'

/** A document that nobody has used for this long rests. */
const restMs = 30_000

export interface BoardWorkServices {
  config: Config
  log: Logger
  metrics: Metrics
  storage: Pick<Storage, 'archive' | 'boards' | 'changes'>
  bus: Bus
  monitor: StorageMonitor
  /** Names this instance to the others. */
  instance: string
}

export interface BoardWork {
  readonly committer: Committer
  readonly rooms: Rooms
  readonly presence: PresenceKeeper
  readonly agents: Agents
  readonly inbox: ItemInbox
  /** From now on what other instances and programs do is heard. Rooms can be opened before. */
  start(hearing: { compareEveryMs: number; drains: boolean }): Promise<void>
}

/** @param parts are released so that a room still commits and is snapshotted when nobody hands anything in any more */
export function openBoardWork(services: BoardWorkServices, parts: Releasers): BoardWork {
  const { config, log, metrics, storage, bus, monitor, instance } = services
  const committer = new Committer(storage.boards, monitor, log, metrics, {
    board: config.PENDING_BYTES_BOARD,
    total: config.PENDING_BYTES_TOTAL,
  })
  parts.add('committer', () => committer.stop())
  const rooms = new Rooms({
    boards: storage.boards,
    archive: storage.archive,
    committer,
    bus,
    instance,
    idleMs: config.ROOM_IDLE_MS,
    limits: {
      debounceMs: config.SNAPSHOT_DEBOUNCE_MS,
      maxWaitMs: config.SNAPSHOT_MAX_WAIT_MS,
      updateBytes: Math.floor((config.MAX_FRAME_BYTES * 3) / 4),
      boardBytes: config.MAX_BOARD_BYTES,
      peers: config.MAX_PEERS_PER_BOARD,
      restMs,
    },
    log,
    metrics,
  })
  const presence = new PresenceKeeper(rooms, bus, instance)
  parts.add('presence', () => presence.stop())
  parts.add('rooms', () => rooms.close(new SyncError('draining', 'this instance is going away; connect again')))
  const agents = new Agents(rooms, bus, log, metrics)
  parts.add('agents', () => agents.stop())
  const inbox = new ItemInbox(storage.changes, rooms, bus, log, metrics, (...written) => agents.wrote(...written))
  parts.add('item inbox', () => inbox.stop())
  const intake = new RawIntake(storage.changes, bus, log, metrics)
  parts.add('raw intake', () => intake.stop())

  return {
    committer,
    rooms,
    presence,
    agents,
    inbox,
    async start({ compareEveryMs, drains }) {
      const replication = new Replication(storage.boards, rooms, bus, log, compareEveryMs)
      parts.add('replication', () => replication.stop())
      await agents.start()
      if (drains) await inbox.start()
      await intake.start()
    },
  }
}
