/** Who is on one board, as one instance has it, or two that a bus connects: without rooms, sockets or a database. */

import { grantOf } from '../../core/auth/grant.ts'
import { createMetrics } from '../../core/base/metrics.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { awarenessChannel } from '../../core/contract/channels.ts'
import { type AwarenessState, isGone } from '../../ws/protocol/awareness-codec.ts'
import { decodeFrame } from '../../ws/protocol/frames.ts'
import { decodeAwarenessMessage } from '../../ws/room/awareness-message.ts'
import { Peer } from '../../ws/room/peer.ts'
import { Presence } from '../../ws/room/presence.ts'
import type { OwnedState } from '../../ws/room/presence-owner.ts'
import { RemotePresence } from '../../ws/room/remote-presence.ts'
import { silent } from './site.ts'
import type { WatchedBus } from './watched-bus.ts'

const board = parseBoardId('board')
export const channel = awarenessChannel(board)

/** `7@3` says that client 7 is here with clock 3, `7@3 gone` that it is not. */
const brief = (state: AwarenessState) => `${state.clientId}@${state.clock}${isGone(state) ? ' gone' : ''}`

function statesOf(frame: Uint8Array): string {
  const decoded = decodeFrame(frame)
  if (decoded.kind !== 'awareness') throw new Error(`not an awareness frame: ${decoded.kind}`)
  return decoded.states.map(brief).join(' ')
}

const hereIn = (presence: Presence): string[] => {
  const frame = presence.everybody()
  return frame ? statesOf(frame).split(' ').sort() : []
}

/** The board open on the only instance there is. `shared`: what it would have the others know. */
export function lonePresence() {
  const refused: string[] = []
  const shared: AwarenessState[] = []
  const sent: { states: string; to: Peer | undefined }[] = []
  const presence = new Presence(
    (frame, to) => sent.push({ states: statesOf(frame), to }),
    reason => refused.push(reason),
    { share: states => shared.push(...states), claim: () => {}, hold: () => {} },
  )
  const toldTo = (peer?: Peer) => sent.filter(({ to }) => to === peer).map(({ states }) => states)
  return { presence, refused, shared, told: () => toldTo(), toldTo, here: () => hereIn(presence) }
}

/** The board open on one instance. */
export async function openPresence(bus: WatchedBus, instance: string) {
  const told: string[] = []
  const toldTo: { peer: Peer; states: string }[] = []
  const refused: string[] = []
  const remote = await RemotePresence.open(board, { bus, instance, log: silent, metrics: createMetrics() })
  const presence = new Presence(
    (frame, peer) => (peer ? toldTo.push({ peer, states: statesOf(frame) }) : told.push(statesOf(frame))),
    reason => refused.push(reason),
    remote,
  )
  remote.serve(presence)
  const looking = setInterval(() => remote.look(), 5_000) // as rooms do
  const here = () => hereIn(presence)
  const close = () => {
    clearInterval(looking)
    remote.close()
    presence.close()
  }
  /** As `kill -9`: it neither says nor hears anything any more. */
  const crash = () => {
    const { loses } = bus
    bus.loses = () => true
    close()
    bus.loses = loses
  }
  return { presence, told, toldTo, refused, here, close, crash }
}

export async function twoPresences(bus: WatchedBus) {
  return { one: await openPresence(bus, 'one'), other: await openPresence(bus, 'other') }
}

/** @param subject who it has shown to be; nobody by default, as in open mode */
export function peer(subject?: string, answersPing = async (_withinMs: number) => true): Peer {
  const grant = grantOf({
    subject: subject ?? 'anyone',
    authenticated: subject !== undefined,
    rights: new Map([['*', 'write']] as const),
    basis: { issuer: 'test' },
  })
  return new Peer({ bufferedAmount: 0, send: () => {}, close: () => {}, answersPing }, grant, 'write')
}

export const state = (clientId: number, clock: number, json = '{}'): OwnedState => ({
  clientId,
  clock,
  json: new TextEncoder().encode(json),
  subject: '',
  since: 1,
})

/** What an instance told the others, like `changed 7@3`. */
export const said = (bus: WatchedBus, instance: string) =>
  bus.published.flatMap(({ message }) => {
    const decoded = decodeAwarenessMessage(message)
    return decoded?.instance === instance ? [`${decoded.kind} ${decoded.states.map(brief).join(' ')}`.trim()] : []
  })
