/**
 * Who may do what: every role and none, over REST, sockets and pages. The REST half is made from the OpenAPI document, so
 * a call that is new has to say here who may make it.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { parseBoardId } from '../../core/contract/board-id.ts'
import type { Role } from '../../core/contract/role.ts'
import { edit, isEdit, isSyncStep1, syncStep1 } from '../kit/frames.ts'
import { connectRaw, type RawOptions } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { adminKey, asAdmin, bearer, inSeconds, makeKey, makeTicket, settings, signIn, token } from './signing.ts'

const useForAll = releasing(afterAll)
const use = releasing()
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start({ settings }))
})

/**
 * What a call needs: a role on the board in its path, any valid credential, or nothing. Without a body a board of any id is
 * created: that is for who may write every board, and none of these is (test/rest/boards.test.ts has those who are).
 */
type Need = Role | 'every-board' | 'credential' | 'nothing'

const needs: Record<string, Need> = {
  createBoard: 'every-board',
  listBoards: 'credential',
  readBoard: 'read',
  renameBoard: 'write',
  deleteBoard: 'admin',
  restoreBoard: 'admin',
  createItem: 'write',
  listItems: 'read',
  readItem: 'read',
  patchItem: 'write',
  deleteItem: 'write',
  readChange: 'read',
  streamEvents: 'read',
  readAsset: 'read',
  putAsset: 'write',
  exportBoard: 'read',
  importFile: 'write',
  changeItems: 'write',
  readPresence: 'read',
  announcePresence: 'read',
  createKey: 'admin',
  listKeys: 'admin',
  revokeKey: 'admin',
  createTicket: 'read',
  signIn: 'credential',
  readSession: 'credential',
  signOut: 'nothing',
}

interface Call {
  operation: string
  method: string
  path: string
  /** What the document says of credentials. */
  security: Record<string, string[]>[]
}

async function callsOfTheApi(): Promise<Call[]> {
  const document = (await site.ask('GET', '/v1/openapi.json')).json()
  return Object.entries<Record<string, Partial<Call> & { operationId?: string }>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, security = document.security }]) => ({
        operation: operationId ?? `${method} ${path}`,
        method: method.toUpperCase(),
        path,
        security,
      })),
  )
}

/** Those that are not listed have a test of their own to fail. */
const listedCalls = async () => (await callsOfTheApi()).filter(({ operation }) => Object.hasOwn(needs, operation))

/** Those who show something, by what it allows on the board. The rest has no right to the board, or is nobody. */
const people = ['read', 'write', 'admin', 'stranger', 'expired', 'forged', 'nobody'] as const
type Person = (typeof people)[number]

async function credentialOf(person: Person, board: string): Promise<string | undefined> {
  switch (person) {
    case 'nobody':
      return undefined
    case 'stranger':
      return token({ [`not-${board}`]: 'admin' })
    case 'expired':
      return token({ '*': 'admin' }, { exp: inSeconds(-60) })
    case 'forged':
      return `bs_${'x'.repeat(43)}`
    default:
      return token({ [board]: person })
  }
}

const includesNeed: Record<Role, Need[]> = {
  read: ['read', 'credential', 'nothing'],
  write: ['read', 'write', 'credential', 'nothing'],
  admin: ['read', 'write', 'admin', 'credential', 'nothing'],
}

function expected(person: Person, need: Need): string {
  if (need === 'nothing') return 'let through'
  if (person === 'nobody') return '401 credential-missing'
  if (person === 'expired' || person === 'forged') return '401 credential-invalid'
  if (need === 'every-board') return '403 forbidden'
  if (person === 'stranger') return need === 'credential' ? 'let through' : '404 board-missing'
  return includesNeed[person].includes(need) ? 'let through' : '403 forbidden'
}

const refusals = ['credential-missing', 'credential-invalid', 'forbidden', 'board-missing']

/** Sent for real, and only its beginning looked at: an answer may be a stream that never ends. */
async function outcomeOf({ method, path }: Call, board: string, headers: Record<string, string>): Promise<string> {
  const address = path.replace('{board}', board).replaceAll(/\{\w+\}/g, 'none')
  const stop = new AbortController()
  const answer = await fetch(site.url + address, { method, headers, signal: stop.signal })
  const isProblem = answer.headers.get('content-type') === 'application/problem+json'
  const problem = isProblem ? (((await answer.json()) as { type: string }).type.split('/').at(-1) ?? '') : ''
  stop.abort()
  expect(answer.status, `${method} ${address}`).toBeLessThan(500)
  return refusals.includes(problem) ? `${answer.status} ${problem}` : 'let through'
}

describe('over REST', () => {
  test('every call of the API is listed here', async () => {
    expect((await callsOfTheApi()).map(({ operation }) => operation).sort()).toEqual(Object.keys(needs).sort())
  })

  test('the document says what each call needs', async () => {
    for (const { operation, security } of await listedCalls()) {
      const need = needs[operation]
      const roles = need === 'read' || need === 'write' || need === 'admin' ? [need] : []
      const asked = need === 'nothing' ? [] : [{ bearer: roles }, { apiKey: roles }, { session: roles }]
      expect(security, operation).toEqual(asked)
    }
  })

  test.each(people)('%s may make those calls that the role is for, and no others', async person => {
    for (const call of await listedCalls()) {
      for (const place of [bearer, (key: string) => ({ 'x-api-key': key })]) {
        const board = freshBoard()
        await site.storage.boards.create(parseBoardId(board))
        const credential = await credentialOf(person, board)
        const headers = credential === undefined ? {} : place(credential)
        const wanted = expected(person, needs[call.operation] as Need)
        expect([call.operation, await outcomeOf(call, board, headers)]).toEqual([call.operation, wanted])
      }
    }
  })

  test.each(['read', 'write', 'admin'] as const)('a session of %s may do what its credential may', async person => {
    for (const call of await listedCalls()) {
      const board = freshBoard()
      await site.storage.boards.create(parseBoardId(board))
      const cookie = await signIn(site, await token({ [board]: person }))
      const headers = { cookie, origin: site.url }
      const wanted = expected(person, needs[call.operation] as Need)
      expect([call.operation, await outcomeOf(call, board, headers)]).toEqual([call.operation, wanted])
    }
  })

  test('a board that is not there answers as one that is somebody else’s', async () => {
    const [missing, foreign] = [freshBoard(), freshBoard()]
    await makeKey(site, foreign)
    const stranger = bearer(await token({ elsewhere: 'admin' }))
    const reader = bearer(await token({ [missing]: 'read' }))
    const read = (board: string, headers: Record<string, string>) =>
      site.ask('GET', `/v1/boards/${board}/items`, undefined, headers)
    const answers = [await read(missing, stranger), await read(foreign, stranger), await read(missing, reader)]
    expect(new Set(answers.map(answer => answer.body)).size).toBe(1)
  })
})

describe('over a socket', () => {
  /** `sees`, `edits`, or the close code. */
  async function outcome(path: string, options: RawOptions): Promise<string> {
    const client = use(await connectRaw(`${site.wsUrl}/${path}`, options))
    const opened = await Promise.race([client.frame(isSyncStep1), client.closed])
    if ('code' in opened) return String(opened.code)
    client.send(syncStep1())
    const doc = new Y.Doc()
    doc.getMap('tldraw').set('shape:by-hand', 1)
    client.send(edit(Y.encodeStateAsUpdate(doc)))
    // The echo, or the news that it is refused.
    const answer = await client.frame(frame => frame[0] === 2 || isEdit(frame))
    expect(client.socket.readyState).toBe(client.socket.OPEN)
    return answer[0] === 2 ? 'sees' : 'edits'
  }

  const outcomes: Record<Person, string> = {
    read: 'sees',
    write: 'edits',
    admin: 'edits',
    stranger: '4403',
    expired: '4401',
    forged: '4401',
    nobody: '4401',
  }

  const places: [string, (credential: string, board: string) => [string, RawOptions]][] = [
    ['Authorization', (credential, board) => [board, { headers: bearer(credential) }]],
    ['X-API-Key', (credential, board) => [board, { headers: { 'x-api-key': credential } }]],
    ['a subprotocol', (credential, board) => [board, { protocols: ['boardsync', `bearer.${credential}`] }]],
    ['token', (credential, board) => [`${board}?token=${credential}`, {}]],
    ['apiKey', (credential, board) => [`boards/${board}?apiKey=${credential}`, {}]],
  ]

  test.each(places)('each may what the role is for, with the credential in %s', async (_name, at) => {
    const seen = await Promise.all(
      people.map(async person => {
        const board = freshBoard()
        await site.storage.boards.create(parseBoardId(board))
        const credential = await credentialOf(person, board)
        return [
          person,
          await outcome(...((credential === undefined ? [board, {}] : at(credential, board)) as [string, RawOptions])),
        ]
      }),
    )
    expect(Object.fromEntries(seen)).toEqual(outcomes)
  })

  test.each([
    ['a key', async (board: string, role: Role) => (await makeKey(site, board, { role })).key],
    ['a ticket', async (board: string, role: Role) => makeTicket(site, board, { role })],
  ])('each may what the role of %s is for', async (_name, make) => {
    const seen = (['read', 'write', 'admin'] as const).map(async role => {
      const board = freshBoard()
      return outcome(`${board}?token=${await make(board, role)}`, {})
    })
    expect(await Promise.all(seen)).toEqual(['sees', 'edits', 'edits'])
  })

  test('a session may what its credential may, from a page of ours', async () => {
    const seen = (['read', 'write', 'admin'] as const).map(async role => {
      const board = freshBoard()
      await site.storage.boards.create(parseBoardId(board))
      const cookie = await signIn(site, await token({ [board]: role }))
      return outcome(board, { headers: { cookie }, origin: site.url })
    })
    expect(await Promise.all(seen)).toEqual(['sees', 'edits', 'edits'])
  })

  test('a board comes into being for those only who may write', async () => {
    const board = freshBoard()
    const by = (role: Role) => token({ [board]: role })
    expect(await outcome(`${board}?token=${await by('read')}`, {})).toBe('4403')
    expect(await site.storage.boards.head(parseBoardId(board))).toBeUndefined()
    expect(await outcome(`${board}?token=${await by('write')}`, {})).toBe('edits')
  })
})

test('status is for everybody, and tells nobody which boards there are', async () => {
  const board = `secret-name-${freshBoard()}`
  await site.ask('POST', `/v1/boards/${board}/items`, { type: 'sticky' }, asAdmin)
  for (const path of ['/health', '/ready', '/metrics', '/v1/openapi.json', '/v1/problems/forbidden']) {
    const answer = await site.ask('GET', path)
    expect([path, answer.statusCode]).toEqual([path, 200])
    expect(answer.body).not.toContain(board)
    expect(answer.body).not.toContain(adminKey)
  }
})
