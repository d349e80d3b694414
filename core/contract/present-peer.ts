/**
 * Who is on a board, as REST shows them: read from awareness states, which anybody may fill as they like.
 *
 *   our page, most Yjs editors   user {name, color, type?} · cursor {x, y} | null · selection [record id]
 *   tldraw's Yjs example         presence {userName, color, cursor {x, y}, selectedShapeIds}
 */
import { z } from 'zod'
import { objectOf, pointOf, presentUser } from './present-user.ts'

export const selectedAtMost = 100
export const longestId = 128

export const presentPeerSchema = z
  .object({
    name: z.string(),
    color: z.string().meta({ description: 'Of its cursor, like `#4263eb`.' }),
    type: z.enum(['human', 'agent']),
    cursor: z.object({ x: z.number(), y: z.number() }).optional().meta({ description: 'In page coordinates.' }),
    selection: z.array(z.string()).optional().meta({ description: 'Ids of the selected items.' }),
  })
  .meta({ id: 'PresentPeer' })
export type PresentPeer = z.output<typeof presentPeerSchema>

/** @returns undefined for a client that says nothing of who it is */
export function presentPeer(clientId: number, state: unknown): PresentPeer | undefined {
  const own = objectOf(state)
  const presence = objectOf(own.presence)
  const user = 'user' in own ? objectOf(own.user) : { name: presence.userName, color: presence.color }
  if (!('user' in own) && typeof presence.userName !== 'string') return undefined
  const cursor = pointOf(own.cursor) ?? pointOf(presence.cursor)
  const selection = idsOf(own.selection) ?? idsOf(presence.selectedShapeIds)
  return {
    ...presentUser(clientId, user),
    ...(cursor && { cursor }),
    ...(selection && { selection }),
  }
}

/** Items are named by their record's id without `shape:`. */
function idsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value
    .filter(id => typeof id === 'string' && id.length <= longestId)
    .slice(0, selectedAtMost)
    .map(id => id.replace(/^shape:/, ''))
}
