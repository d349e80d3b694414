/**
 * Who is on a board on other instances: told to each other on `board:{id}:awareness`.
 *
 *   a room opens         who ►                ◄ everybody   from each instance that has the board open
 *   the bus is back      who ► everybody ►
 *   peers move or go     changed ►                          gathered as their own frames are
 *   every 10 s           everybody ►                        makes up for what was lost, and says that we live
 *   a room closes        everybody (nobody) ►
 *   a client that is taken to be gone is heard of again
 *                        outdated ►           ◄ changed     with a newer clock: that is the only one stock clients take
 *   a peer announces another instance's client
 *                        claim ►              ◄ held        when its owner answers a ping; else the claimant has it
 *
 * An instance that was silent for 25 s is dead, and so is whoever came through it. Nothing heard is said again, so N
 * clients on M instances cost N messages, each brought to M.
 */
import type { BoardId } from '../../core/contract/board-id.ts'
import { awarenessChannel } from '../../core/contract/channels.ts'
import type { AwarenessState } from '../protocol/awareness-codec.ts'
import { type AwarenessMessage, decodeAwarenessMessage, encodeAwarenessMessage } from './awareness-message.ts'
import { BoardChannel } from './board-channel.ts'
import type { Presence } from './presence.ts'
import type { OwnedState, PresenceLink, RemoteInstance } from './presence-owner.ts'
import type { ChannelServices } from './sync-channel.ts'

/** Every second look (each 5 s) is a heartbeat, unless everybody was told in between. A dead instance's people go within 30 s. */
const saidAgainAfterMs = 7_500
const silentAtMostMs = 25_000
/** Many may ask at a time who is here: when an instance starts, or the bus is back. */
const answerWithinMs = 50

interface Instance extends RemoteInstance {
  heardAt: number
  /** The latest `order` heard. */
  order: number
}

export class RemotePresence implements PresenceLink {
  readonly #services: ChannelServices
  readonly #instances = new Map<string, Instance>()
  #channel: BoardChannel | undefined
  #presence: Presence | undefined
  #order = 0
  #answering: NodeJS.Timeout | undefined
  #unlisten: (() => void) | undefined
  #saidAt = Number.NEGATIVE_INFINITY
  /** Others may believe that somebody is here. */
  #toldOf = false

  private constructor(services: ChannelServices) {
    this.#services = services
  }

  static async open(board: BoardId, services: ChannelServices): Promise<RemotePresence> {
    const opened = new RemotePresence(services)
    const hear = (bytes: Uint8Array) => opened.#hear(bytes)
    const { bus, log } = services
    opened.#channel = await BoardChannel.open(bus, awarenessChannel(board), hear, () => opened.ask(), log)
    return opened
  }

  /** From now on; who is on other instances is asked. */
  serve(presence: Presence): void {
    this.#presence = presence
    this.#unlisten = this.#services.bus.onState(state => {
      if (state === 'down') return
      this.ask()
      this.#sayEverybody()
    })
    this.ask()
  }

  ask(): void {
    this.#say('who', [])
  }

  share(states: readonly OwnedState[]): void {
    this.#say('changed', states)
    this.#toldOf = true
  }

  claim(state: OwnedState): void {
    this.#say('claim', [state])
  }

  hold(state: OwnedState): void {
    this.#say('held', [state])
  }

  close(): void {
    this.#unlisten?.()
    clearTimeout(this.#answering)
    if (this.#toldOf) this.#say('everybody', [])
    this.#presence = undefined
    this.#channel?.close()
  }

  #hear(bytes: Uint8Array): void {
    if (!this.#presence) return
    const message = decodeAwarenessMessage(bytes)
    if (!message) this.#services.metrics.refusals.inc({ reason: 'bus-message-malformed' })
    else if (message.instance !== this.#services.instance) this.#take(message, this.#presence)
  }

  #take({ kind, instance, order, states }: AwarenessMessage, presence: Presence): void {
    const from = this.#instances.get(instance) ?? { instance, heardAt: 0, order: 0 }
    this.#instances.set(instance, from)
    from.heardAt = performance.now()
    switch (kind) {
      case 'who':
        this.#answering ??= setTimeout(() => this.#sayEverybody(), answerWithinMs)
        break
      case 'outdated':
        for (const state of states) presence.renew(state)
        break
      case 'everybody':
        if (order > from.order) presence.leave(from, new Set(states.map(({ clientId }) => clientId)))
        this.#sayOutdated(presence.hear(states, from))
        break
      case 'changed':
        this.#sayOutdated(presence.hear(states, from))
        break
      case 'claim':
        presence.hearClaims(states, from)
        break
      case 'held':
        presence.hearHeld(states, from)
        break
      default:
        kind satisfies never
    }
    from.order = Math.max(from.order, order)
  }

  #sayOutdated(outdated: readonly AwarenessState[]): void {
    if (outdated.length === 0) return
    const states = outdated.map(state => ({ ...state, subject: '', since: 0 }))
    this.#say('outdated', states)
  }

  /** To be called every 5 s at least. */
  look(): void {
    const now = performance.now()
    for (const [id, from] of this.#instances) {
      if (now - from.heardAt < silentAtMostMs) continue
      this.#instances.delete(id)
      this.#presence?.leave(from)
    }
    if (now - this.#saidAt >= saidAgainAfterMs) this.#sayEverybody()
  }

  /** Of nobody nothing is said, unless others may believe in somebody. */
  #sayEverybody(): void {
    clearTimeout(this.#answering)
    this.#answering = undefined
    const states = this.#presence?.ours() ?? []
    if (states.length === 0 && !this.#toldOf) return
    this.#say('everybody', states)
    this.#toldOf = states.length > 0
    this.#saidAt = performance.now()
  }

  #say(kind: AwarenessMessage['kind'], states: readonly OwnedState[]): void {
    if (!this.#channel?.reachesOthers) return
    // By the clock: an instance that opens the board again does not begin anew.
    this.#order = Math.max(this.#order + 1, Date.now())
    const { instance } = this.#services
    this.#channel.publish(encodeAwarenessMessage({ kind, instance, order: this.#order, states }))
  }
}
