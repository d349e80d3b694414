/** From a board's id to its room: followed on the bus first and then read, so that no commit is missed in between. */
import { SyncError } from '../../core/base/errors.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { Replica, type SliceState } from '../../core/doc/replica.ts'
import type { StoredBoard } from '../../core/store/board-archive.ts'
import type { Storage } from '../../core/store/storage.ts'
import { RemotePresence } from './remote-presence.ts'
import { Room, type RoomLinks, type RoomServices } from './room.ts'
import { type ChannelServices, SyncChannel } from './sync-channel.ts'

export interface LoadServices extends RoomServices {
  boards: Storage['boards']
  /** Cuts the state of a big board; default: in a thread of its own. */
  slice?: SliceState
}

/**
 * @param create brings the board into being
 * @throws SyncError `board-forbidden` when there is no such board, `board-deleted`; StorageError. Nothing is left behind then
 */
export async function loadRoom(
  board: BoardId,
  create: boolean,
  services: LoadServices,
  discard: (room: Room, error: SyncError) => void,
): Promise<Room> {
  if (!create && !(await services.boards.head(board))) throw missing()
  const links = await link(board, services)
  try {
    const stored = await read(board, create, services)
    const replica = await Replica.load(stored, services.slice)
    const room: Room = new Room(board, stored, replica, links, services, error => discard(room, error))
    return room
  } catch (error) {
    links.sync.close()
    links.remote.close()
    throw error
  }
}

async function link(board: BoardId, services: ChannelServices): Promise<RoomLinks> {
  const [sync, remote] = await Promise.all([SyncChannel.open(board, services), RemotePresence.open(board, services)])
  return { sync, remote }
}

async function read(board: BoardId, create: boolean, { boards, archive }: LoadServices): Promise<StoredBoard> {
  if (create) {
    const head = await boards.create(board)
    if (head.headSeq === 0 && !head.deleted) return { head, snapshot: undefined, rows: [] }
  }
  const stored = await archive.read(board, 0)
  if (!stored) throw missing()
  if (stored.head.deleted) throw new SyncError('board-deleted', 'the board was deleted')
  return stored
}

const missing = () => new SyncError('board-forbidden', 'there is no such board, or this credential has no right to it')

/** Who may bring the board into being tries itself, where another's opening found none. */
export const isMissing = (error: unknown): boolean => error instanceof SyncError && error.code === 'board-forbidden'
