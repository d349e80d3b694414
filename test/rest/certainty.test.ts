/** An agent always learns what became of its change, and a change is made once. */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { StorageError } from '../../core/base/errors.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import type { ItemChange } from '../../core/contract/change.ts'
import type * as items from '../../core/doc/items.ts'
import { readItem } from '../../core/doc/items.ts'
import { putRecord } from '../../core/doc/record-layout.ts'
import type { Storage } from '../../core/store/storage.ts'
import { listItems } from '../kit/items.ts'
import { releasing } from '../kit/releasing.ts'
import { openEmbeddedStorage, Site } from '../kit/site.ts'
import type { StockClient } from '../kit/stock-client.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { until } from '../kit/until.ts'
import { listed, post } from './asking.ts'
import { drawnNote } from './drawn.ts'

/** What writing a change does instead, by item id. */
const sabotage = vi.hoisted(() => new Map<string, (doc: import('yjs').Doc) => void>())
vi.mock('../../core/doc/items.ts', async importOriginal => {
  const original = await importOriginal<typeof items>()
  const decideChange: typeof items.decideChange = async (doc, change, ...rest) => {
    const { outcome, write } = await original.decideChange(doc, change, ...rest)
    const sabotaged = 'item' in change ? sabotage.get(change.item.id) : undefined
    return { outcome, write: () => (sabotaged ? sabotaged(doc) : write()) }
  }
  return { ...original, decideChange }
})

const use = releasing()
const useForAll = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

/** The same, but for these of its methods. */
const replaced = <T extends object>(original: T, methods: Partial<T>): T =>
  new Proxy(original, {
    get: (target, name: keyof T & string) => methods[name] ?? (target[name] as () => unknown).bind(target),
  })

/** As the desk does, without its checks. @returns the change's public id */
async function store(storage: Storage, board: BoardId, change: ItemChange): Promise<string> {
  const publicId = randomUUID()
  const actor = 'agent:a' as const
  const request = { publicId, board, change: JSON.stringify(change), actor, idempotencyKey: undefined, requestHash: '' }
  await storage.changes.submit(request, false)
  return publicId
}

/** Whatever this client has sent is with the server: its socket answers a ping, in order. */
const hasArrived = ({ provider }: StockClient) =>
  new Promise<void>(resolve => {
    const socket = provider.ws as unknown as WebSocket
    socket.once('pong', () => resolve())
    socket.ping()
  })

describe('a change that nothing applies yet', () => {
  let storage: Storage
  let waiting: Site
  beforeAll(async () => {
    const folder = useForAll(temporaryFolder())
    storage = useForAll(await openEmbeddedStorage(folder.path), given => given.close())
    waiting = useForAll(await Site.start({ storage, applies: false }))
  })

  test('is answered 202 with an address to poll, and made once when something does', async () => {
    const [answer, repeat, taken] = await Promise.all([
      post(waiting, 'later', { id: 'a' }, 'key'),
      post(waiting, 'later', { id: 'a' }, 'key'),
      post(waiting, 'later', { id: 'a' }, 'another key'),
    ])
    expect([answer.statusCode, answer.json()]).toEqual([202, { id: expect.any(String), status: 'pending' }])
    expect([repeat.statusCode, repeat.json()]).toEqual([202, answer.json()])
    const location = String(answer.headers.location)
    expect(location).toBe(`/v1/boards/later/changes/${answer.json().id}`)
    expect((await waiting.ask('GET', location)).json()).toEqual(answer.json())
    expect(await listed(waiting, 'later')).toEqual([])

    use(await Site.start({ storage }))
    const outcome = await until(async () => {
      const change = (await waiting.ask('GET', location)).json()
      return change.status !== 'pending' && change
    })
    const item = (await waiting.ask('GET', '/v1/boards/later/items/a')).json()
    expect(outcome).toEqual({ id: answer.json().id, status: 'applied', seq: 1, item })
    expect((await post(waiting, 'later', { id: 'a' }, 'key')).json()).toEqual({ ...item, seq: 1 })
    expect(await listed(waiting, 'later')).toHaveLength(1)

    const rejected = (await waiting.ask('GET', String(taken.headers.location))).json()
    expect(rejected).toMatchObject({ status: 'rejected', problem: { type: '/v1/problems/item-exists', status: 409 } })
  })

  test('is made in the order it was stored in, however many wait', { timeout: 120_000 }, async () => {
    const board = parseBoardId('ordered')
    await storage.boards.create(board)
    await store(storage, board, { action: 'create', item: { id: 'a', type: 'sticky' } })
    for (let x = 1; x <= 500; x++) await store(storage, board, { action: 'update', item: { id: 'a', x } })

    const seen: unknown[] = []
    const applying = use(await Site.start({ storage, applies: false }))
    const person = use(await applying.join(board))
    person.doc.on('update', () => seen.push(readItem(person.doc, 'a')?.x))
    await applying.inbox.start()
    await until(person.doc, () => readItem(person.doc, 'a')?.x === 500)
    expect(seen).toEqual([...seen].sort((a, b) => Number(a) - Number(b)))
    expect((await storage.archive.read(board, 0))?.head.headSeq).toBe(501)
  })

  test('holds the board for a moment only, however long those take that wait', async () => {
    const board = parseBoardId('slow')
    await storage.boards.create(board)
    const ids = ['c', 'b', 'a']
    for (const id of ids) await store(storage, board, { action: 'create', item: { id, type: 'sticky' } })
    let later = 0
    const now = performance.now.bind(performance)
    use(
      vi.spyOn(performance, 'now').mockImplementation(() => now() + later),
      clock => clock.mockRestore(),
    )
    const decided: string[][] = []
    const drain: Storage['changes']['drain'] = (at, known, batchId, decide) =>
      storage.changes.drain(at, known, batchId, async pending => {
        later += 1_000 // each takes a second
        const together = await decide(pending)
        decided.push(together.map(({ change }) => JSON.parse(change).item.id))
        return together
      })
    use(await Site.start({ storage: { ...storage, changes: replaced(storage.changes, { drain }) } }))
    await until(async () => (await storage.changes.boardsWithPending()).length === 0)
    expect(decided).toEqual([['c'], ['b'], ['a']])
    expect((await storage.archive.read(board, 0))?.head.headSeq).toBe(3)
  })

  test('holds up nobody who draws for longer than a turn, however many wait', { timeout: 120_000 }, async () => {
    const board = parseBoardId('crowded')
    const uncompacted = { SNAPSHOT_DEBOUNCE_MS: '60000', SNAPSHOT_MAX_WAIT_MS: '60000' }
    let later = 0
    let turns = 0
    let person: StockClient | undefined
    const drain: Storage['changes']['drain'] = (at, known, batchId, decide) =>
      storage.changes.drain(at, known, batchId, async pending => {
        later += 250 // a turn is over then
        if (++turns === 3 && person) {
          const { doc } = person
          doc.transact(() => putRecord(doc, drawnNote('drawn')))
          await hasArrived(person)
        }
        return decide(pending)
      })
    const changes = replaced(storage.changes, { drain })
    const applying = use(await Site.start({ storage: { ...storage, changes }, applies: false, settings: uncompacted }))
    person = use(await applying.join(board))
    for (let n = 0; n < 20; n++) {
      await store(storage, board, { action: 'create', item: { id: `i${n}`, type: 'sticky' } })
    }
    const now = performance.now.bind(performance)
    use(
      vi.spyOn(performance, 'now').mockImplementation(() => now() + later),
      clock => clock.mockRestore(),
    )
    await applying.inbox.start()
    await until(async () => (await storage.changes.boardsWithPending()).length === 0, { timeout: 40_000 })
    const { rows = [] } = (await storage.archive.read(board, 0)) ?? {}
    expect(rows).toHaveLength(21)
    expect(rows.findIndex(row => row.actor.startsWith('human:'))).toBe(3)
  })

  test('is known on its own board only', async () => {
    const board = parseBoardId('own')
    await storage.boards.create(board)
    const id = await store(storage, board, { action: 'delete', item: { id: 'a' } })
    expect((await waiting.ask('GET', `/v1/boards/own/changes/${id}`)).statusCode).toBe(200)
    for (const address of [`other/changes/${id}`, 'own/changes/nonsense', `own/changes/${randomUUID()}`]) {
      const answer = await waiting.ask('GET', `/v1/boards/${address}`)
      expect([answer.statusCode, answer.json().type]).toEqual([404, '/v1/problems/change-missing'])
    }
  })
})

describe('a change that throws where it is applied', () => {
  test.each([
    ['before it wrote anything', () => {}],
    ['half-way', (doc: import('yjs').Doc) => putRecord(doc, { id: 'shape:half', typeName: 'shape' })],
  ])('%s is rejected after three tries, alone', async (how, write) => {
    const board = `poisoned-${how.length}`
    let tries = 0
    sabotage.set('poison', doc => {
      tries += 1
      doc.transact(() => {
        write(doc)
        throw new Error('sabotage')
      })
    })
    const person = use(await site.join(board))
    await post(site, board, { id: 'before' })
    const answers = await Promise.all(['one', 'two', 'poison', 'three', 'four'].map(id => post(site, board, { id })))
    expect(answers.map(answer => answer.statusCode)).toEqual([201, 201, 500, 201, 201])
    expect(answers[2]?.json()).toMatchObject({ type: '/v1/problems/internal' })
    expect(answers[2]?.body).not.toContain('sabotage')
    expect(tries).toBe(3)
    const ids = ['before', 'four', 'one', 'three', 'two']
    expect((await listed(site, board)).map(item => item.id)).toEqual(ids)
    expect(listItems(await site.logged(board)).map(item => item.id)).toEqual(ids)
    await until(person.doc, () => listItems(person.doc).length === 5)
    if (how.startsWith('before')) expect(person.codes).toEqual([])
  })

  test('because it cannot be read is rejected, and nobody hears of it', async () => {
    const board = parseBoardId('unreadable')
    const person = use(await site.join(board))
    const publicId = await store(site.storage, board, { action: 'delete', item: { id: 'x'.repeat(1_000) } })
    const outcome = await until(async () => {
      const found = (await site.ask('GET', `/v1/boards/${board}/changes/${publicId}`)).json()
      return found.status !== 'pending' && found
    })
    expect(outcome).toMatchObject({ status: 'rejected', problem: { status: 422, errors: [{ pointer: '/id' }] } })
    expect(person.codes).toEqual([])
  })
})

describe('a change that is stored, while the answer of the store is lost', () => {
  /** @param times how often it is */
  const losing = async (times: number) => {
    const { changes } = site.storage
    let left = times
    const submit: typeof changes.submit = async (...given) => {
      const stored = await changes.submit(...given)
      if (stored && left-- > 0) throw new StorageError('unavailable', 'connection reset')
      return stored
    }
    return use(await Site.start({ storage: { ...site.storage, changes: replaced(changes, { submit }) } }))
  }

  test('is made once, as its caller hears', async () => {
    const at = await losing(1)
    expect((await post(at, 'lost-once')).statusCode).toBe(201)
    expect(await listed(at, 'lost-once')).toHaveLength(1)
  })

  test('again is to be seen at an address that its caller hears of', async () => {
    const at = await losing(2)
    const answer = await post(at, 'lost-twice')
    expect([answer.statusCode, answer.json().type]).toEqual([503, '/v1/problems/storage-unavailable'])
    const address = `/v1/boards/lost-twice/changes/${answer.json().id}`
    expect(answer.json().detail).toContain(address)
    await until(async () => (await at.ask('GET', address)).json().status === 'applied')
    expect(await listed(at, 'lost-twice')).toHaveLength(1)
  })
})

describe('while storage is down', () => {
  test('requests are answered 503 with Retry-After, and nothing is done', async () => {
    const unavailable = async () => {
      throw new StorageError('unavailable', 'connection refused at 10.0.0.1')
    }
    const storage = {
      ...site.storage,
      boards: {
        ...site.storage.boards,
        headsOtherThan: unavailable,
        head: unavailable,
        create: unavailable,
        append: unavailable,
        appendAgain: unavailable,
      },
      changes: {
        submit: unavailable,
        submitAll: unavailable,
        find: unavailable,
        drain: unavailable,
        boardsWithPending: unavailable,
        forgetOld: unavailable,
      },
    }
    const down = use(await Site.start({ storage }))
    const asked = [
      await post(down, 'outage', { id: 'a' }, 'key'),
      await down.ask('PATCH', '/v1/boards/outage/items/a', { x: 1 }),
      await down.ask('DELETE', '/v1/boards/outage/items/a'),
      await down.ask('GET', '/v1/boards/outage/items'),
      await down.ask('GET', '/v1/boards/outage/items/a'),
      await down.ask('GET', `/v1/boards/outage/changes/${randomUUID()}`),
    ]
    for (const answer of asked) {
      expect(answer.statusCode).toBe(503)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(answer.json().type).toBe('/v1/problems/storage-unavailable')
      expect(answer.body).not.toContain('10.0.0.1')
    }
    expect((await site.ask('GET', '/v1/boards/outage/items')).statusCode).toBe(404)
    expect((await post(site, 'outage', { id: 'a' }, 'key')).statusCode).toBe(201)
  })
})
