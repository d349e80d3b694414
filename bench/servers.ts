/** The servers under test, each in a process of its own, and what each of them speaks. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startInstance } from '../test/kit/instance.ts'
import { endWithUs } from '../test/kit/last-will.ts'
import { type Postgres, startPostgres } from '../test/kit/postgres.ts'
import { startRedis } from '../test/kit/redis.ts'
import { Releasing } from './releasing.ts'
import { type Dialect, hocuspocus, yWebsocket } from './wire.ts'

export const serverNames = [
  'relay',
  'y-websocket-server',
  'y-websocket-server + LevelDB',
  'hocuspocus',
  'hocuspocus + Postgres',
  'boardsync',
  'boardsync × 2 + Redis',
] as const
export type ServerName = (typeof serverNames)[number]

/** What each of them gets, whosever it is. */
const environment = {
  NODE_ENV: 'production',
  NODE_OPTIONS: `--import=${new URL('load/held-memory.js', import.meta.url).href}`,
}

export interface Server {
  readonly name: ServerName
  /** Of its processes; a database and a Redis are not among them. */
  readonly pids: readonly number[]
  /** `ws://…`, one per process. */
  readonly urls: readonly string[]
  readonly dialect: Dialect
  /** Whether it has a document to give to one who joins. */
  readonly remembers: boolean
  /** Of the database it stores to. */
  readonly database: string | undefined
  /** Ended gracefully and started again on the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** @param settings of boardsync, beside its defaults */
export async function startServer(name: ServerName, settings: Record<string, string> = {}): Promise<Server> {
  const parts = new Releasing()
  try {
    const { start, ...about } = await recipe(name, settings, parts)
    let running = await start()
    const stop = () => Promise.all(running.map(one => one.end()))
    parts.add(stop)
    return {
      name,
      ...about,
      get pids() {
        return running.map(({ pid }) => pid)
      },
      get urls() {
        return running.map(({ url }) => url)
      },
      async restart() {
        await stop()
        running = await start()
      },
      stop: () => parts.release(),
    }
  } catch (error) {
    await parts.release()
    throw error
  }
}

interface Running {
  pid: number
  url: string
  /** By SIGTERM. */
  end(): Promise<unknown>
}

interface Recipe extends Pick<Server, 'dialect' | 'remembers' | 'database'> {
  start(): Promise<Running[]>
}

async function recipe(name: ServerName, settings: Record<string, string>, parts: Releasing): Promise<Recipe> {
  switch (name) {
    case 'relay':
      return { dialect: yWebsocket, remembers: false, database: undefined, start: () => peer('relay', {}) }
    case 'y-websocket-server':
    case 'y-websocket-server + LevelDB': {
      const stored = name === 'y-websocket-server' ? {} : { YPERSISTENCE: parts.folder() }
      const start = () => peer('y-websocket-server', stored)
      return { dialect: yWebsocket, remembers: true, database: undefined, start }
    }
    case 'hocuspocus':
      return { dialect: hocuspocus, remembers: true, database: undefined, start: () => peer('hocuspocus', {}) }
    case 'hocuspocus + Postgres': {
      const database = await (await postgres(parts)).createDatabase()
      const start = () => peer('hocuspocus', { DATABASE_URL: database })
      return { dialect: hocuspocus, remembers: true, database, start }
    }
    case 'boardsync': {
      const database = await (await postgres(parts)).createDatabase()
      const start = () => boardsync(1, { DATABASE_URL: database, ...settings })
      return { dialect: yWebsocket, remembers: true, database, start }
    }
    case 'boardsync × 2 + Redis': {
      const database = await (await postgres(parts)).createDatabase()
      const redis = await startRedis()
      parts.add(() => redis.stop())
      const start = () => boardsync(2, { DATABASE_URL: database, REDIS_URL: redis.url, ...settings })
      return { dialect: yWebsocket, remembers: true, database, start }
    }
    default:
      return name satisfies never
  }
}

/** Commits reach the disk: `fsync` is on. */
async function postgres(parts: Releasing): Promise<Postgres> {
  const server = await startPostgres()
  parts.add(() => server.stop())
  return server
}

async function boardsync(count: number, settings: Record<string, string>): Promise<Running[]> {
  const instances = await Promise.all(
    Array.from({ length: count }, () => startInstance({ ...environment, ...settings })),
  )
  return instances.map(({ pid, wsUrl, kill }) => ({ pid, url: wsUrl, end: () => kill() }))
}

async function peer(file: string, settings: Record<string, string>): Promise<Running[]> {
  const path = fileURLToPath(new URL(`peers/${file}.js`, import.meta.url))
  const child = spawn(process.execPath, [path], {
    env: { PATH: process.env.PATH, ...environment, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error('Node could not be started')
  endWithUs(child, { signal: 'KILL' })
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()))
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const listening = /listening on (\d+)/.exec(text)?.[1]
      if (listening) resolve(listening)
    })
    void gone.then(() => reject(new Error(`${file} ended before it listened`)))
  })
  const end = () => {
    child.kill('SIGTERM')
    return gone
  }
  return [{ pid, url: `ws://127.0.0.1:${port}`, end }]
}
