/**
 * A simulated client: a Y.Doc that speaks the protocol as y-websocket does, over a link that takes time and can break.
 * It keeps what it typed while away, and sends it when it is back.
 */
import * as Y from 'yjs'
import { grantOf } from '../../core/auth/grant.ts'
import type { SyncError } from '../../core/base/errors.ts'
import { decodeFrame, encodeSyncStep1, encodeSyncStep2, encodeUpdate, type Frame } from '../../ws/protocol/frames.ts'
import { Peer, type PeerSocket } from '../../ws/room/peer.ts'
import type { Room } from '../../ws/room/room.ts'
import type { Chance } from './chance.ts'

const rights = new Map([['*', 'write']] as const)
const anyone = grantOf({ subject: 'anyone', authenticated: false, rights, basis: { issuer: 'open' } })

/** Messages in order, each after a moment; nothing arrives any more once it is cut. */
class Link {
  readonly #chance: Chance
  #arrivesAt = 0
  cut = false

  constructor(chance: Chance) {
    this.#chance = chance
  }

  carry(arrive: () => void): void {
    this.#arrivesAt = Math.max(this.#arrivesAt, Date.now() + this.#chance.between(0, 20))
    setTimeout(() => {
      if (!this.cut) arrive()
    }, this.#arrivesAt - Date.now())
  }
}

/** One connection of a client to a room: both directions, each in order. */
interface Connection {
  room: Room
  peer: Peer
  up: Link
  down: Link
  release: () => void
}

/** With so much waiting a peer falls behind, until the next look finds it drained. */
const tooMuch = 5 * 1024 * 1024

export class SimulatedClient {
  readonly doc = new Y.Doc()
  readonly #chance: Chance
  readonly #onSeen: (client: SimulatedClient) => void
  #connection: Connection | undefined

  /** @param onSeen called whenever it has received something */
  constructor(id: number, chance: Chance, onSeen: (client: SimulatedClient) => void) {
    this.doc.clientID = id
    this.#chance = chance
    this.#onSeen = onSeen
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this && this.#connection) send(this.#connection, encodeUpdate(update))
    })
  }

  get connected(): boolean {
    return this.#connection !== undefined
  }

  /** @param release gives back the room that was held for this client */
  connect(room: Room, release: () => void): void {
    const [up, down] = [new Link(this.#chance), new Link(this.#chance)]
    const chance = this.#chance
    const socket: PeerSocket = {
      get bufferedAmount() {
        return chance.happens(0.05) ? tooMuch : 0
      },
      send: frame => down.carry(() => this.#receive(decodeFrame(frame.slice()), connection)),
      close: (_error: SyncError) => {
        up.cut = true
        down.carry(() => this.#close(connection))
      },
      answersPing: async () => !up.cut,
    }
    const connection: Connection = { room, peer: new Peer(socket, anyone, 'write'), up, down, release }
    this.#connection = connection
    room.join(connection.peer)
    send(connection, encodeSyncStep1(Y.encodeStateVector(this.doc)))
  }

  /** The client goes: nothing of this connection arrives any more, in either direction. */
  disconnect(): void {
    const connection = this.#connection
    if (!connection) return
    connection.down.cut = true
    this.#close(connection)
  }

  /** The instance is gone; what it had sent still arrives. */
  instanceCrashed(): void {
    if (this.#connection) this.#close(this.#connection)
  }

  #close(connection: Connection): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    connection.up.cut = true
    connection.room.leave(connection.peer)
    connection.release()
  }

  #receive(frame: Frame, connection: Connection): void {
    switch (frame.kind) {
      case 'sync-step-1': {
        const clocks = Y.encodeStateVector(frame.stateVector)
        send(connection, encodeSyncStep2(Y.encodeStateAsUpdate(this.doc, clocks)))
        break
      }
      case 'sync-step-2':
      case 'update':
        Y.applyUpdate(this.doc, frame.update, this)
        this.#onSeen(this)
        break
      default:
    }
  }
}

function send({ up, room, peer }: Connection, frame: Uint8Array): void {
  if (!up.cut) up.carry(() => room.receive(decodeFrame(frame.slice()), peer))
}
