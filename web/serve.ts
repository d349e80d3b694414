/** Serves the built page: `/`, `/b/<board>` and the files under `/assets`. Every other path is left to the app. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { isBoardId } from '../core/contract/board-id.ts'

export interface PagesOptions {
  /** Where `ensurePageBuilt` put it. */
  directory: string
  /** tldraw's, for the page at run time: a key built into the page would be useless in a prebuilt image. */
  licenseKey?: string | undefined
  /** The address people see, where a proxy may have asked for another host. */
  publicUrl?: string | undefined
}

/** Where there is something to read; `/b` and what lies deeper only say that nothing is here. */
export const pageAddresses = ['/', '/b/:boardId', '/b/:boardId/', '/assets/*']

export const pages: FastifyPluginAsync<PagesOptions> = async (app, { directory, licenseKey, publicUrl }) => {
  const html = withConfig(await readFile(join(directory, 'index.html'), 'utf8'), { licenseKey })

  const sendPage = (request: FastifyRequest, reply: FastifyReply) =>
    reply
      .headers({
        'cache-control': 'no-cache',
        'content-security-policy': contentSecurityPolicy(
          publicUrl === undefined ? request.host : new URL(publicUrl).host,
        ),
        'x-content-type-options': 'nosniff',
        // A board's address is a secret of those who have it.
        'referrer-policy': 'no-referrer',
      })
      .type('text/html; charset=utf-8')
      .send(html)

  app.get('/', sendPage)
  app.get<{ Params: { boardId: string } }>('/b/:boardId', (request, reply) =>
    sendPage(request, reply.status(isBoardId(request.params.boardId) ? 200 : 404)),
  )
  app.get<{ Params: { boardId: string } }>('/b/:boardId/', (request, reply) => {
    const { boardId } = request.params
    return isBoardId(boardId) ? reply.redirect(`/b/${boardId}`, 308) : sendPage(request, reply.status(404))
  })
  // The page says that nothing is here, and leads home.
  for (const url of ['/b', '/b/*']) app.get(url, (request, reply) => sendPage(request, reply.status(404)))

  // Names carry a hash of the content, so a browser never has to ask again.
  await app.register(fastifyStatic, {
    root: join(directory, 'assets'),
    prefix: '/assets/',
    decorateReply: false,
    index: false,
    preCompressed: true,
    immutable: true,
    maxAge: '365d',
    setHeaders: reply => {
      reply.header('x-content-type-options', 'nosniff')
    },
  })
}

/** For people who follow a broken address of a board. @param path as it came: it may be no address that can be read */
export function pageNotFound(path: string): string | undefined {
  if (!path.startsWith('/b/')) return undefined
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>No board here · boardsync</title>' +
    '<h1>There is no board here</h1><p>The address is not one of a board. <a href="/">To your boards</a></p></html>\n'
  )
}

/** JSON inside HTML: `<` is written so that no `</script>` or `<!--` can end it. */
function withConfig(html: string, config: object): string {
  const json = JSON.stringify(config).replaceAll('<', '\\u003c')
  const script = `<script type="application/json" id="boardsync-config">${json}</script>`
  return html.replace('</head>', () => `${script}</head>`)
}

/**
 * The page asks nobody but us, and whoever holds a picture that somebody put on the board by its address (they learn
 * neither the board's address nor its content). What tldraw needs beside that: inline styles (it positions shapes by them), `data:` and
 * `blob:` for pictures and exports. Safari before 15.4 and older Firefoxes take `'self'` for http only, so the sockets of
 * this host are named too.
 */
function contentSecurityPolicy(host: string): string {
  const sockets = /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : ''
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob: https: http:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self' data: blob:${sockets}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join('; ')
}
