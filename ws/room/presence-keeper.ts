/**
 * Lets every instance answer who is on a board: what came through this one is kept on the bus, for 10 s at a time. Awareness
 * states are parsed here only, and only where something has changed.
 */
import type { Bus } from '../../core/bus/bus.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { presenceGroup } from '../../core/contract/channels.ts'
import { encodeKeptPresence, type KeptPeer } from '../../core/contract/kept-presence.ts'
import { presentPeer } from '../../core/contract/present-peer.ts'
import type { OwnedState } from './presence-owner.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'

const keptForMs = 10_000
/** Told again before it lapses, also when one renewal is lost. */
const renewAfterMs = 3_000
const lookEveryMs = 250
/** A board on which cursors move is told of no more often. */
const pauseMs = 1_000

interface Told {
  room: Room
  revision: number
  at: number
}

export class PresenceKeeper {
  readonly #rooms: Rooms
  readonly #bus: Bus
  readonly #instance: string
  readonly #told = new Map<BoardId, Told>()
  readonly #timer: NodeJS.Timeout
  readonly #unlisten: () => void

  /** @param instance names this instance to the others */
  constructor(rooms: Rooms, bus: Bus, instance: string) {
    this.#rooms = rooms
    this.#bus = bus
    this.#instance = instance
    this.#timer = setInterval(() => this.#look(), lookEveryMs)
    // A bus that was away may have forgotten all of it.
    this.#unlisten = bus.onState(state => {
      if (state === 'down') return
      for (const told of this.#told.values()) told.at = Number.NEGATIVE_INFINITY
      this.#look()
    })
  }

  /** Who is on the board through this instance, now. */
  here(board: BoardId): KeptPeer[] {
    const room = this.#rooms.find(board)
    return room ? peersOf(room) : []
  }

  /** Who is on the board, as everybody sees it who has it open here: also those of other instances, a moment before they are kept. */
  seen(board: BoardId): KeptPeer[] {
    const room = this.#rooms.find(board)
    return room ? room.presence.people().flatMap(read) : []
  }

  /** Takes back what is kept. */
  stop(): void {
    clearInterval(this.#timer)
    this.#unlisten()
    for (const board of this.#told.keys()) this.#forget(board)
  }

  #look(): void {
    const now = performance.now()
    for (const room of this.#rooms.open()) if (everHadPeople(room)) this.#tell(room, now)
    for (const board of this.#told.keys()) {
      const room = this.#rooms.find(board)
      if (!room || !everHadPeople(room)) this.#forget(board)
    }
  }

  #tell(room: Room, now: number): void {
    const { revision } = room.presence
    const told = this.#told.get(room.board)
    const changed = told?.room !== room || told.revision !== revision
    const age = now - (told?.at ?? Number.NEGATIVE_INFINITY)
    if (changed ? age < pauseMs : !told || age < renewAfterMs) return
    const peers = peersOf(room)
    if (peers.length === 0) {
      if (told) this.#forget(room.board)
      return
    }
    this.#bus.keep(presenceGroup(room.board), this.#instance, encodeKeptPresence(peers), keptForMs)
    this.#told.set(room.board, { room, revision, at: now })
  }

  #forget(board: BoardId): void {
    this.#told.delete(board)
    this.#bus.forget(presenceGroup(board), this.#instance)
  }
}

/** Of thousands of boards that are looked at four times a second, most have shown nobody yet. */
const everHadPeople = (room: Room): boolean => room.presence.revision > 0

const peersOf = (room: Room): KeptPeer[] => room.presence.ours().flatMap(read)

function read({ clientId, clock, json }: OwnedState): KeptPeer[] {
  // Every state that got here is the JSON of an object (`awareness-check.ts`).
  const peer = presentPeer(clientId, JSON.parse(new TextDecoder().decode(json)))
  return peer ? [{ clientId, clock, ...peer }] : []
}
