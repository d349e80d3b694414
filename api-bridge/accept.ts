/** 406, before anything is done, where the caller could not take the answer (RFC 9110, 12.5.1). */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from './problems.ts'

/** A refusal is of this type, whatever the answer would have been. */
const problemType = 'application/problem+json'

/** Routes tell by the `content` of their declared answers what they are; without, it is JSON. */
export function refuseUnacceptable(app: FastifyInstance): void {
  app.addHook('onRequest', async request => {
    const ranges = rangesOf(request.headers.accept ?? '')
    const types = typesOf(request)
    if (ranges.length === 0 || !types || types.some(type => takes(ranges, type))) return
    throw new Problem('not-acceptable', `the answer is ${types.join(' or ')}, which Accept excludes`)
  })
}

/** The first of these types that the caller takes; the first of all where it takes none, or only a problem. */
export function acceptedOf<Type extends string>({ headers }: FastifyRequest, types: readonly [Type, ...Type[]]): Type {
  const ranges = rangesOf(headers.accept ?? '')
  return types.find(type => takes(ranges, type)) ?? types[0]
}

/** @returns undefined where a route declares no answer: it does nothing but refuse */
function typesOf({ routeOptions }: FastifyRequest): string[] | undefined {
  const response = routeOptions.schema?.response as Record<string, { content?: object }> | undefined
  if (!response) return undefined
  const answers = Object.entries(response).filter(([status]) => status.startsWith('2'))
  const types = answers.flatMap(([, answer]) => Object.keys(answer.content ?? { 'application/json': {} }))
  return [...new Set([...types, problemType])]
}

interface Range {
  range: string
  quality: number
}

/** What is no range is passed over. */
function rangesOf(accept: string): Range[] {
  return accept.split(',').flatMap(part => {
    const [range = '', ...parameters] = part.split(';').map(text => text.trim().toLowerCase())
    if (!/^(\*\/\*|[^\s/*]+\/(\*|[^\s/*]+))$/.test(range)) return []
    const quality = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
    return [{ range, quality: quality === undefined ? 1 : Number(quality) || 0 }]
  })
}

/** The most specific range that fits decides. */
function takes(ranges: readonly Range[], type: string): boolean {
  const bySpecificity = [type, `${type.split('/')[0]}/*`, '*/*']
  const found = bySpecificity.map(wanted => ranges.find(({ range }) => range === wanted)).find(Boolean)
  return found !== undefined && found.quality > 0
}
