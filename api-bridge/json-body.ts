/** Bodies: JSON in UTF-8 and nothing else, refused with a pointer where a part of it is allowed nowhere. */
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { inSteps } from '../core/base/slices.ts'
import { forbiddenParts } from '../core/contract/field-error.ts'
import { refuseEncoded } from './content-encoding.ts'
import { Problem } from './problems.ts'

/** Room for the largest item: its text, and a picture within its URL. */
const bodyBytesAtMost = 1024 * 1024

/** What JSON is said to be, where it is no file. */
export const jsonTypes = ['application/json', 'application/merge-patch+json']

interface Bodies {
  /** `*`: whatever it is said to be. */
  types?: string[] | '*'
  bytesAtMost?: number
  /** How many objects and lists may lie in one another. Default: as many as items need. */
  deepest?: number | undefined
}

/** Keys that reach an object's prototype are refused with a pointer, not dropped: so the body is parsed as it is. */
export function takeJson(
  app: FastifyInstance,
  { types = jsonTypes, bytesAtMost = bodyBytesAtMost, deepest }: Bodies = {},
): void {
  app.removeAllContentTypeParsers()
  if (types !== '*')
    app.addContentTypeParser('*', (_request: FastifyRequest, body: IncomingMessage) => takeNothing(body))
  app.addContentTypeParser(
    types,
    { parseAs: 'buffer', bodyLimit: bytesAtMost },
    async (request: FastifyRequest, body: Buffer) => {
      // No body: clients that send their content type with everything send it where nothing is to be said, too.
      if (body.length === 0) return null
      refuseEncoded(request.headers)
      return parseJson(body, deepest)
    },
  )
}

/** fetch says that an empty text is text, curl that it is a form: no body all the same. */
async function takeNothing(body: IncomingMessage): Promise<null> {
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    if (chunk.byteLength > 0) throw new Problem('content-type-unsupported', 'the body is not said to be JSON')
  }
  return null
}

/**
 * A content type that is none (`png`) counts as not said, as RFC 9110 allows (8.3). Fastify would refuse it before it looks
 * for who takes the body, and whether there is one.
 */
export function passOverUnreadableTypes(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw: { headers } }) => {
    const type = headers['content-type']
    if (type !== undefined && !mediaType.test(type)) delete headers['content-type']
  })
}

const mediaType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/

async function parseJson(bytes: Uint8Array, deepest: number | undefined): Promise<unknown> {
  const othersTurn = inSteps()
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new Problem('json-malformed', error instanceof Error ? error.message : 'not JSON')
  }
  await othersTurn()
  const errors = forbiddenParts(json, deepest)
  if (errors.length > 0) throw Problem.ofFields('request-invalid', errors)
  await othersTurn()
  return json
}
