/**
 * Agents at work are seen on the boards that are open here: while their changes are applied, and when they say so over REST.
 *
 *   a change is applied here ─┐  gathered for a moment, of each agent the latest
 *   POST …/presence ──────────┴─► bus `board:{id}:agents` ─► every instance with the board open shows it to its own peers
 *                             └─► kept in `agents:{board}` ─► read when a board is opened, and by GET …/presence
 *
 * Every instance takes them away by itself when their time is over, so none is left behind by an instance that dies.
 */
import { LRUCache } from 'lru-cache'
import type { Logger } from '../../core/base/log.ts'
import type { Metrics } from '../../core/base/metrics.ts'
import { tellOfAgent } from '../../core/bus/agent-news.ts'
import type { Bus } from '../../core/bus/bus.ts'
import {
  type AgentSighting,
  agentClientId,
  agentsAtMost,
  decodeAgentName,
  decodeSighting,
  keptPeerOf,
  leftOf,
  longestSightingMs,
} from '../../core/contract/agent-sighting.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import type { ChangeOutcome } from '../../core/contract/change.ts'
import { agentNamesChannel, agentsGroup, boardOfChannel, everyAgentsChannel } from '../../core/contract/channels.ts'
import { colorOf } from '../../core/contract/colors.ts'
import type { KeptPeer } from '../../core/contract/kept-presence.ts'
import { shownName } from '../../core/contract/present-user.ts'
import type { DecidedChange } from '../../core/store/change-drain.ts'
import { createdByIn, traceOf } from './agent-trace.ts'
import type { Room } from './room.ts'
import type { Rooms } from './rooms.ts'

/** After its last change an agent is seen for so long. */
const seenForMs = 5_000
const gatherMs = 100
const lookEveryMs = 250
const namesRemembered = 1_000

interface Seen {
  sighting: AgentSighting
  /** Until then, by this instance's own clock (`performance.now()`): `until` is by one that people set. */
  endsAt: number
}

export class Agents {
  readonly #rooms: Rooms
  readonly #bus: Bus
  readonly #log: Logger
  readonly #metrics: Metrics
  /** By client id: what each room's peers see now. */
  readonly #seen = new Map<Room, Map<number, Seen>>()
  readonly #waiting = new Map<number, { room: Room; sighting: AgentSighting }>()
  readonly #names = new LRUCache<string, string>({ max: namesRemembered })
  /** Set while somebody waits to be told of. */
  #gathering: NodeJS.Timeout | undefined
  /** Set while somebody is seen. */
  #looking: NodeJS.Timeout | undefined
  readonly #unlisten: (() => void)[] = []

  constructor(rooms: Rooms, bus: Bus, log: Logger, metrics: Metrics) {
    this.#rooms = rooms
    this.#bus = bus
    this.#log = log
    this.#metrics = metrics
  }

  async start(): Promise<void> {
    this.#unlisten.push(this.#rooms.onOpened(room => void this.#recall(room)))
    const [board, names] = await Promise.all([
      this.#bus.subscribe(everyAgentsChannel, (channel, message) => this.#hear(channel, message)),
      this.#bus.subscribe(agentNamesChannel, (_channel, message) => {
        const known = decodeAgentName(new TextDecoder().decode(message))
        if (known) this.#names.set(known.actor, known.name)
        else this.#metrics.refusals.inc({ reason: 'bus-message-malformed' })
      }),
    ])
    this.#unlisten.push(board, names)
  }

  stop(): void {
    clearTimeout(this.#gathering)
    clearInterval(this.#looking)
    for (const unlisten of this.#unlisten) unlisten()
    this.#waiting.clear()
    this.#seen.clear()
  }

  /** Who is seen on the board here. */
  here(board: BoardId): KeptPeer[] {
    const room = this.#rooms.find(board)
    const seen = (room && this.#seen.get(room)) ?? new Map<number, Seen>()
    return [...seen.values()].map(({ sighting }) => keptPeerOf(sighting))
  }

  /** How it is seen on the board until now. Waits for the bus no longer than it takes to say that it cannot tell. */
  async lastSeen(board: BoardId, clientId: number): Promise<AgentSighting | undefined> {
    const room = this.#rooms.find(board)
    const seen = room && this.#seen.get(room)?.get(clientId)
    if (seen && seen.endsAt > performance.now()) return seen.sighting
    const text = (await this.#bus.kept(agentsGroup(board)))?.get(String(clientId))
    return text === undefined ? undefined : decodeSighting(text)
  }

  /** Shows it here, and has every other instance show it. */
  tell(board: BoardId, sighting: AgentSighting): void {
    const room = this.#rooms.find(board)
    const before = room && this.#seen.get(room)?.get(sighting.clientId)?.sighting
    const later = before ? laterThan(before, sighting) : sighting
    // Not only by way of the bus, which may be down.
    if (room) this.#show(room, later, leftOf(later))
    tellOfAgent(this.#bus, board, later)
  }

  /** These changes are on the board. Whoever neither its changes nor its credential names is not seen. */
  wrote(room: Room, decided: readonly DecidedChange[]): void {
    try {
      this.#note(room, decided)
    } catch (error) {
      // They are on the board all the same.
      this.#log.error({ err: error, board: room.board }, 'agents cannot be shown')
    }
  }

  #note(room: Room, decided: readonly DecidedChange[]): void {
    const latest = new Map<string, { made: DecidedChange; name: string }>()
    for (const made of decided) {
      const given = made.status === 'applied' ? (createdByIn(made.change) ?? this.#nameOf(made.actor)) : undefined
      const name = given && shownName(given)
      if (name) latest.set(`${made.actor} ${name}`, { made, name })
    }
    for (const { made, name } of latest.values()) {
      const clientId = agentClientId(room.board, made.actor, name)
      const trace = traceOf(room.replica.doc, JSON.parse(made.result) as ChangeOutcome)
      const before = this.#waiting.get(clientId)?.sighting ?? this.#seen.get(room)?.get(clientId)?.sighting
      const color = before?.color ?? colorOf(name)
      const sighting = { ...before, clientId, name, color, type: 'agent' as const, ...trace, clock: 0, until: 0 }
      this.#waiting.set(clientId, { room, sighting })
      this.#gathering ??= setTimeout(() => this.#tellWaiting(), gatherMs)
    }
  }

  #nameOf(actor: string): string | undefined {
    const subject = actor.replace(/^agent:/, '')
    const isNobody = subject === 'anyone' || subject === 'bus'
    return this.#names.get(actor) ?? (isNobody ? undefined : subject.replace(/^(?:key:.*|admin)$/, 'Agent'))
  }

  #tellWaiting(): void {
    this.#gathering = undefined
    const now = Date.now()
    for (const { room, sighting } of this.#waiting.values()) {
      this.tell(room.board, { ...sighting, clock: now, until: now + seenForMs })
    }
    this.#waiting.clear()
  }

  #hear(channel: string, message: Uint8Array): void {
    const room = this.#rooms.find((boardOfChannel(channel) ?? '') as BoardId)
    if (!room) return
    const sighting = decodeSighting(new TextDecoder().decode(message))
    if (sighting) this.#show(room, sighting, leftOf(sighting))
    else this.#metrics.refusals.inc({ reason: 'bus-message-malformed' })
  }

  /** Those who came while the board was not open here. */
  async #recall(room: Room): Promise<void> {
    const kept = await this.#bus.kept(agentsGroup(room.board))
    for (const text of kept?.values() ?? []) {
      const sighting = decodeSighting(text)
      // How long ago it was told only the clocks say.
      if (sighting) this.#show(room, sighting, Math.min(leftOf(sighting), sighting.until - Date.now()))
      else this.#log.debug({ board: room.board }, 'what is kept of an agent cannot be read')
    }
  }

  /** @param left so long it is to be seen, in ms */
  #show(room: Room, given: AgentSighting, left: number): void {
    if (this.#rooms.find(room.board) !== room) return
    const seen = this.#seen.get(room) ?? new Map<number, Seen>()
    const before = seen.get(given.clientId)?.sighting
    if (before ? given.clock <= before.clock : seen.size >= agentsAtMost) return
    const seenMs = Math.min(left, longestSightingMs)
    const sighting = { ...before, ...given, until: Date.now() + seenMs }
    if (seenMs <= 0) {
      if (seen.delete(given.clientId)) room.presence.hide(given.clientId)
      return
    }
    this.#seen.set(room, seen.set(given.clientId, { sighting, endsAt: performance.now() + seenMs }))
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs)
    room.presence.show(given.clientId, stateOf(sighting))
  }

  #look(): void {
    const now = performance.now()
    for (const [room, seen] of this.#seen) {
      if (this.#rooms.find(room.board) !== room) {
        this.#seen.delete(room)
        continue
      }
      for (const [clientId, { endsAt }] of seen) {
        if (endsAt <= now && seen.delete(clientId)) room.presence.hide(clientId)
      }
      if (seen.size === 0) this.#seen.delete(room)
    }
    if (this.#seen.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }
}

/** So that it counts as the later one everywhere, though the clock by which the one before was told may be ahead of ours. */
const laterThan = (before: AgentSighting, sighting: AgentSighting): AgentSighting => {
  const clock = Math.max(sighting.clock, before.clock + 1)
  return { ...sighting, clock, until: clock + leftOf(sighting) }
}

/** As pages of ours and other Yjs editors say who they are. */
const stateOf = ({ name, color, cursor, selection = [], clock, page }: AgentSighting): object => ({
  user: { name, color, type: 'agent' },
  cursor: cursor ?? null,
  selection: selection.map(id => `shape:${id}`),
  presence: {
    cursorType: 'default',
    cursorRotation: 0,
    lastActivityTimestamp: clock,
    ...(page !== undefined && { currentPageId: page }),
  },
})
