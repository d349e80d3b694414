/** What an instance keeps, for all to find, of who is on a board through it: their latest states, read. Pure. */
import { z } from 'zod'
import { presentPeerSchema } from './present-peer.ts'

const keptSchema = z.array(presentPeerSchema.extend({ clientId: z.int(), clock: z.int() }))

/** With what tells of two states of one client which is newer. */
export type KeptPeer = z.output<typeof keptSchema>[number]

export const encodeKeptPresence = (peers: readonly KeptPeer[]): string => JSON.stringify(peers)

/** @returns undefined for what no instance of this version wrote */
export function decodeKeptPresence(text: string): KeptPeer[] | undefined {
  try {
    return keptSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // no JSON
  }
}
