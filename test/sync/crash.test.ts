/** What an observer has seen is there after the process was killed or stopped, whichever the moment. */

import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as Y from 'yjs'
import { type Instance, startInstance } from '../kit/instance.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'
import { until } from '../kit/until.ts'

/** `npm run nightly` asks for more. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 10)
const board = 'board-1'

const use = releasing()
let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

const shapes = (doc: Y.Doc) => doc.getMap<unknown>('tldraw')

const databases: [string, () => Promise<Record<string, string>>][] = [
  ['embedded', async () => ({ DATA_DIR: use(temporaryFolder()).path })],
  ['Postgres', async () => ({ DATABASE_URL: await postgres.createDatabase() })],
]

describe.each(databases)('on the %s database', (_, settingsOf) => {
  test(
    `after kill -9 with edits in flight, ${rounds} times, all that an observer had seen is there`,
    async () => {
      const settings = { ...(await settingsOf()), ROLE: 'all', SNAPSHOT_DEBOUNCE_MS: '20' }
      const seen = new Set<string>()
      for (let round = 0; round < rounds; round++) {
        const instance = use(await startInstance(settings))
        const fresh = use(connectStock(instance.wsUrl, board))
        await fresh.synced
        expect([...seen].filter(shape => !shapes(fresh.doc).has(shape))).toEqual([])

        const [author, observer] = [connectStock(instance.wsUrl, board), connectStock(instance.wsUrl, board)]
        await Promise.all([author.synced, observer.synced])
        shapes(observer.doc).observe(({ keysChanged }) => {
          for (const shape of keysChanged) seen.add(shape)
        })
        // Early and late in a burst of edits; of a size that hundreds of rounds don't add up to a board nobody has.
        const target = seen.size + 5 + 40 * (round % 6)
        let made = 0
        const typing = setInterval(() => {
          for (let burst = 0; burst < 5; burst++) shapes(author.doc).set(`shape:${round}-${made++}`, made)
        }, 1)
        await until(observer.doc, () => seen.size >= target)
        await instance.kill('SIGKILL')
        clearInterval(typing)
        expect(made).toBeGreaterThan(0)
        author.stop()
        observer.stop()
        fresh.stop()
        await instance.stop()
      }
      expect(seen.size).toBeGreaterThan(100)
    },
    30_000 + 20_000 * rounds,
  )
})

/** One that never ends. */
async function beginRequest({ url }: Instance): Promise<void> {
  const { port, hostname } = new URL(url)
  const unended = use(connect(Number(port), hostname), given => given.destroy())
  unended.on('error', () => {}) // cut off in the end
  await once(unended, 'connect')
  const head = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 9'
  unended.write(`POST /v1/boards/${board}/items HTTP/1.1\r\n${head}\r\n\r\n{`)
  await fetch(`${url}/health`) // and with it all that was sent before
}

describe('an instance that is stopped', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s commits, closes 1012, exits 0 within 8 s, and has everything when it is back',
    async signal => {
      const settings = {
        DATA_DIR: use(temporaryFolder()).path,
        SNAPSHOT_DEBOUNCE_MS: '60000',
        SNAPSHOT_MAX_WAIT_MS: '60000',
      }
      const instance = use(await startInstance(settings))
      const [alice, bob] = [use(connectStock(instance.wsUrl, board)), use(connectStock(instance.wsUrl, board))]
      await Promise.all([alice.synced, bob.synced])
      for (let shape = 0; shape < 100; shape++) shapes(alice.doc).set(`shape:${shape}`, shape)
      await until(bob.doc, () => shapes(bob.doc).size === 100)
      // A connection that answers nothing, not even the close, does not hold it up.
      const deaf = use(await connectRaw(`${instance.wsUrl}/${board}`))
      deaf.socket.pause()

      const started = performance.now()
      expect(await instance.kill(signal)).toEqual({ code: 0, signal: null })
      // 8 s where the machine has time for it; one that waited for the deaf would take half a minute.
      expect(performance.now() - started).toBeLessThan(20_000)
      await until(() => alice.codes.length > 0 && bob.codes.length > 0)
      expect([alice.codes[0], bob.codes[0]]).toEqual([1012, 1012])
      expect(instance.output()).not.toMatch(/error/i)
      alice.stop()
      bob.stop()

      const again = use(await startInstance(settings))
      const carol = use(connectStock(again.wsUrl, board))
      await carol.synced
      expect(shapes(carol.doc).size).toBe(100)
    },
    120_000,
  )

  test('comes to its end beside those who answer nothing and one who never ends a request', {
    timeout: 120_000,
  }, async () => {
    const { path } = use(temporaryFolder())
    const instance = use(await startInstance({ DATA_DIR: path }))
    // So many that one of them is told to go at the end of the time over which that is spread.
    for (let nth = 0; nth < 40; nth++) use(await connectRaw(`${instance.wsUrl}/${board}`)).socket.pause()
    await beginRequest(instance)
    expect(await instance.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    // The last thing that it does.
    expect(readdirSync(path)).not.toContain('boardsync.lock')
  })

  test('by a Ctrl-C that arrives twice, as where npm hands it on, stops in good order all the same', {
    timeout: 120_000,
  }, async () => {
    const instance = use(await startInstance())
    const alice = use(connectStock(instance.wsUrl, board))
    await alice.synced
    instance.kill('SIGINT')
    // Another one: of two alike the system may deliver one.
    expect(await instance.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    await until(() => alice.codes.length > 0)
    expect(alice.codes[0]).toBe(1012)
  })

  test('takes no more sockets and is not ready, and a second signal ends it at once', {
    timeout: 120_000,
  }, async () => {
    const instance = use(await startInstance())
    // So many, and an unended request behind them: the stop takes as long as it may, and the machine may stand still meanwhile.
    for (let nth = 0; nth < 40; nth++) use(await connectRaw(`${instance.wsUrl}/${board}`)).socket.pause()
    await beginRequest(instance)
    const gone = instance.kill('SIGTERM')
    await until(async () => (await fetch(`${instance.url}/ready`)).status === 503)
    await expect(connectRaw(`${instance.wsUrl}/${board}`)).rejects.toThrow('503')
    // Not in the first second: that may be the first signal once more.
    let exit: Awaited<typeof gone> | undefined
    void gone.then(given => {
      exit = given
    })
    await until(() => {
      instance.kill('SIGTERM')
      return exit !== undefined
    })
    expect(exit?.code).toBe(1)
  })
})
