/** What the `type` of a problem document leads to: one short page per problem. Anybody may read it. */
import type { FastifyInstance } from 'fastify'
import { refuseOtherMethods } from './methods.ts'
import { isProblemName, Problem, problemHelp } from './problems.ts'

export function problemPages(app: FastifyInstance): void {
  const url = '/problems/:name'
  app.get<{ Params: { name: string } }>(url, async (request, reply) => {
    const { name } = request.params
    if (!isProblemName(name)) throw new Problem('not-found', 'there is no problem of this name')
    const found = problemHelp(name)
    return reply
      .headers({ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' })
      .type('text/html; charset=utf-8')
      .send(
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title>` +
          `<h1>${found.title}</h1><p>${found.help}</p><p>HTTP ${found.status}, <code>${name}</code></p></html>\n`,
      )
  })
  refuseOtherMethods(app, url, ['GET', 'HEAD'])
}
