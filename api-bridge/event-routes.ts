/** What happens on a board, as server-sent events. */
import { z } from 'zod'
import type { LiveAuthority } from '../core/auth/live-authority.ts'
import { itemSchema } from '../core/contract/item.ts'
import { presentPeerSchema } from '../core/contract/present-peer.ts'
import { onBoard } from './access.ts'
import type { DeclaredAnswer } from './answers.ts'
import { seqSchema } from './change-answer.ts'
import type { EventFeeds } from './event-feeds.ts'
import { type Place, readPlace } from './event-frames.ts'
import { refuseOtherMethods } from './methods.ts'
import { callerOf, type RequestLimits } from './rate-limit.ts'
import { boardParams, type CheckingApp } from './validation.ts'

export interface EventServices {
  feeds: EventFeeds
  authority: Pick<LiveAuthority, 'watch'>
  requests: Pick<RequestLimits, 'trustedProxies'>
}

const place = z
  .string()
  .refine(
    text => text === '' || readPlace(text) !== undefined,
    'is not the id of an event, nor an ETag of the list of items',
  )
  .transform(readPlace)
  .optional()

const eventHeaders = z.looseObject({
  'last-event-id': place.meta({
    description:
      'The last event that is known: what happened after it comes first. Clients send it when they reconnect.',
    examples: ['8161533914-42'],
  }),
})

const eventQuery = z.strictObject({
  after: place.meta({
    description: 'The same for the first connection of a client that cannot set headers; Last-Event-ID goes before it.',
  }),
})

const itemEventSchema = z
  .object({
    item: itemSchema.optional().meta({ description: 'The item that was created or updated, as it was left.' }),
    id: z.string().optional().meta({ description: 'Of an item that was deleted.' }),
    seq: seqSchema,
    actor: z.string().meta({ description: '`human:…` or `agent:…`, and who.', examples: ['human:anyone'] }),
  })
  .meta({ id: 'ItemEvent', description: 'The data of item.created, item.updated and item.deleted, as JSON.' })
const presenceEventSchema = presentPeerSchema
  .pick({ name: true, color: true, type: true })
  .meta({ id: 'PresenceEvent', description: 'The data of presence.joined and presence.left, as JSON.' })

/** OpenAPI 3.1 has no word for a stream: generators that know streams take the schema for that of the data of one event. */
const streamBegins: DeclaredAnswer = {
  description: 'The stream, which does not end by itself. The schema is that of the data of one event.',
  headers: [],
  content: { 'text/event-stream': { schema: z.union([itemEventSchema, presenceEventSchema]) } },
}

export function eventRoutes(app: CheckingApp, { feeds, authority, requests }: EventServices): void {
  const url = '/boards/:board/events'
  app.get(
    url,
    {
      onRequest: onBoard('read'),
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        summary: 'What happens on a board, as it happens',
        description: `Server-sent events \`item.created\`, \`item.updated\` and \`item.deleted\`, whoever made the change, each with JSON of the
schema ItemEvent; \`presence.joined\` and \`presence.left\` with that of PresenceEvent. The last event of a seq has the id
\`<epoch>-<seq>\`. To miss nothing: list the items, then connect with the ETag of that answer (without its quotes) as
Last-Event-ID. A stream that ends is no error: connect again.`,
        tags: ['events'],
        params: boardParams,
        headers: eventHeaders,
        querystring: eventQuery,
        response: { 200: streamBegins },
        problems: ['events-gone', 'too-many-streams', 'draining'],
      },
    },
    async (request, reply) => {
      const from: Place | undefined = request.headers['last-event-id'] ?? request.query.after
      const stream = await feeds.stream(request.board, from, callerOf(request, requests.trustedProxies))
      const unwatch = authority.watch(request.grant, () => stream.finish())
      stream.on('close', unwatch)
      return reply
        .headers({
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // nginx would gather events before it passes them on.
          'x-accel-buffering': 'no',
        })
        .send(stream)
    },
  )
  refuseOtherMethods(app, url, ['GET'])
}
