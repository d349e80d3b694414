/** An agent at work on a board, as instances tell each other of it: who, where, and until when it is to be seen. Pure. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Actor } from './actor.ts'
import type { BoardId } from './board-id.ts'
import type { KeptPeer } from './kept-presence.ts'
import { presentPeerSchema } from './present-peer.ts'

/** So many are shown of a board, and no more. */
export const agentsAtMost = 100
/** Longer than this nobody is believed. */
export const longestSightingMs = 60_000

const sightingSchema = presentPeerSchema.extend({
  clientId: z.int().min(0),
  /** When it was seen (ms since the epoch): of two sightings the later one counts. */
  clock: z.int(),
  /** By the same clock, which may be another than the reader's. Not later: it has gone. */
  until: z.int(),
  /** The id of the page's record, where it is known. */
  page: z.string().exactOptional(),
})
export type AgentSighting = z.output<typeof sightingSchema>

/** The same on every instance, so that whoever shows an agent shows one and the same. */
export function agentClientId(board: BoardId, actor: Actor, name: string): number {
  return createHash('sha256')
    .update(JSON.stringify([board, actor, name]))
    .digest()
    .readUInt32BE(0)
}

/** For how long it is to be seen from the moment at which it is told, in ms. */
export const leftOf = ({ clock, until }: AgentSighting): number => until - clock

export const encodeSighting = (sighting: AgentSighting): string => JSON.stringify(sighting)

/** @returns undefined for what no instance of this version wrote */
export const decodeSighting = (text: string): AgentSighting | undefined => sightingSchema.safeParse(jsonOf(text)).data

/** As REST shows it. */
export const keptPeerOf = ({ until: _, page: __, ...peer }: AgentSighting): KeptPeer => peer

const nameSchema = z.object({ actor: z.string(), name: z.string() })

/** What those who make changes under this actor are called, as their credential says. */
export type AgentName = z.output<typeof nameSchema>

export const encodeAgentName = (name: AgentName): string => JSON.stringify(name)
export const decodeAgentName = (text: string): AgentName | undefined => nameSchema.safeParse(jsonOf(text)).data

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no JSON: refused by the schema
  }
}
