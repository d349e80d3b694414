/** Who is on a board, over REST; and agents that say that they are. */
import { z } from 'zod'
import type { Grant } from '../core/auth/grant.ts'
import { type AgentSighting, agentClientId, keptPeerOf, longestSightingMs } from '../core/contract/agent-sighting.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import { colorOf, isHexColor } from '../core/contract/colors.ts'
import { coordinateAtMost } from '../core/contract/item.ts'
import { longestId, presentPeerSchema, selectedAtMost } from '../core/contract/present-peer.ts'
import { longestName, shownName } from '../core/contract/present-user.ts'
import type { Storage } from '../core/store/storage.ts'
import { onBoard } from './access.ts'
import { json, noBody } from './answers.ts'
import { livingHead } from './board-missing.ts'
import { type Answer, sendAnswer, type WriteOnce } from './idempotency.ts'
import { refuseOtherMethods } from './methods.ts'
import { boardParams, type CheckingApp, writeHeaders } from './validation.ts'
import type { WhoIsHere } from './who-is-here.ts'

export interface PresenceServices {
  storage: Pick<Storage, 'boards'>
  whoIsHere: WhoIsHere
  writeOnce: WriteOnce
  agents: {
    /** How it is seen until now; undefined also where nobody can say. */
    lastSeen(board: BoardId, clientId: number): Promise<AgentSighting | undefined>
    tell(board: BoardId, sighting: AgentSighting): void
  }
}

export const presenceSchema = z
  .object({
    peers: z.array(presentPeerSchema),
    partial: z
      .literal(true)
      .optional()
      .meta({ description: 'Redis is down: there may be others, on other instances.' }),
  })
  .meta({ id: 'Presence' })

const coordinate = z.number().min(-coordinateAtMost).max(coordinateAtMost)
const usualTtl = 10
const longestTtl = longestSightingMs / 1_000

const announcementSchema = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(longestName)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must have no control characters')
      .meta({ description: 'What people read beside the cursor. A credential that says a name goes before it.' }),
    color: z
      .string()
      .refine(isHexColor, 'must look like #4263eb')
      .optional()
      .meta({ description: 'Of the cursor, like `#4263eb`. Default: one that follows from the name.' }),
    cursor: z
      .strictObject({ x: coordinate, y: coordinate })
      .optional()
      .meta({ description: 'In page coordinates. Left out: where it was.' }),
    selection: z
      .array(z.string().min(1).max(longestId))
      .max(selectedAtMost)
      .optional()
      .meta({ description: 'Ids of items. Left out: as it was.' }),
    ttl: z
      .number()
      .min(0)
      .max(longestTtl)
      .optional()
      .meta({
        description: `Seconds until it is gone, unless it is announced again; 0: it is gone now. Default: ${usualTtl}.`,
      }),
  })
  .meta({ id: 'PresenceAnnouncement', examples: [{ name: 'agent-7', cursor: { x: 100, y: 200 }, ttl: 30 }] })

const announcedSchema = z
  .object({ peer: presentPeerSchema, expires_at: z.iso.datetime() })
  .meta({ id: 'AnnouncedPresence' })

export function presenceRoutes(app: CheckingApp, services: PresenceServices): void {
  const { storage, whoIsHere, writeOnce, agents } = services
  const presence = '/boards/:board/presence'
  const assertThere = async (board: BoardId) => livingHead(await storage.boards.head(board))

  app.get(
    presence,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'readPresence',
        summary: 'Who is on a board, and where their cursors are',
        description: 'Across all instances; those of other instances as they were up to a second ago.',
        tags: ['presence'],
        params: boardParams,
        response: { 200: json(presenceSchema, 'Everybody who has announced a name.') },
      },
    },
    async ({ board }, reply) => {
      await assertThere(board)
      return reply.header('cache-control', 'no-store').send(await whoIsHere.on(board))
    },
  )

  app.post(
    presence,
    {
      onRequest: onBoard('read'),
      schema: {
        operationId: 'announcePresence',
        summary: 'Show your name and cursor on a board, for some seconds',
        description: `Changes show their agent without this, for 5 s. Announce again before \`ttl\` is over to stay, or to move; the
same credential and name are one agent. At most 100 agents are shown of a board.`,
        tags: ['presence'],
        params: boardParams,
        headers: writeHeaders,
        body: announcementSchema,
        response: {
          200: json(announcedSchema, 'You are seen, as answered, until `expires_at`.'),
          204: noBody('You are not seen any more (`ttl` 0).'),
        },
      },
    },
    async (request, reply) => {
      await assertThere(request.board)
      const sighting = await sightingOf(request.board, request.body, request.grant)
      const announced = () => announce(request.board, sighting)
      // Without a key nothing is kept, and cursors move often: no transaction for that.
      const isKeyed = request.headers['idempotency-key'] !== undefined
      return sendAnswer(reply, isKeyed ? await writeOnce(request, async () => announced()) : announced())
    },
  )

  refuseOtherMethods(app, presence, ['GET', 'HEAD', 'POST'])

  /** What it leaves unsaid of its place is as it was; everybody is told all of it, for it may be all that is kept. */
  async function sightingOf(
    board: BoardId,
    { ttl = usualTtl, color, ...place }: z.output<typeof announcementSchema>,
    grant: Grant,
  ): Promise<AgentSighting> {
    const name = grant.name === undefined ? place.name : shownName(grant.name)
    const clientId = agentClientId(board, `agent:${grant.subject}`, name)
    const isWhole = ttl === 0 || (place.cursor && place.selection)
    const before = isWhole ? undefined : await agents.lastSeen(board, clientId)
    const clock = Date.now()
    const until = clock + Math.round(ttl * 1_000)
    return { ...before, ...place, name, color: color ?? colorOf(name), type: 'agent', clientId, clock, until }
  }

  function announce(board: BoardId, sighting: AgentSighting): Answer {
    agents.tell(board, sighting)
    const { clock, until } = sighting
    if (until <= clock) return { status: 204 }
    const { clientId: _, clock: __, ...peer } = keptPeerOf(sighting)
    return { status: 200, body: { peer, expires_at: new Date(until).toISOString() } }
  }
}
