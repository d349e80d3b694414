/** A real Postgres for tests: a cluster of its own in a temporary folder, on a free port of 127.0.0.1. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, escapeIdentifier } from 'pg'
import { freePort } from './free-port.ts'
import { endWithUs } from './last-will.ts'
import { findPostgres, type PostgresPrograms, type ServerUser, userForServer } from './postgres-programs.ts'
import { until } from './until.ts'

export interface PostgresOptions {
  /** Which programs: the machine's or, failing that, npm's (`any`, the default), or npm's in any case. */
  source?: 'any' | 'npm'
  /** `false` for tests that never ask what survives. Default true. */
  fsync?: boolean
  /** Settings of postgresql.conf. */
  settings?: Record<string, string>
}

export interface Postgres {
  /** Of its superuser `postgres`, database `postgres`. The same after a restart. */
  readonly url: string
  /** Of the server that runs now. */
  readonly pid: number
  readonly programs: PostgresPrograms
  /** A new empty database. @returns its url */
  createDatabase(name?: string): Promise<string>
  /** The outage: `immediate` as a crash does it, with recovery at the next start; `fast` as an administrator does. */
  halt(how: 'fast' | 'immediate'): Promise<void>
  /** After `halt`: the same data on the same port. */
  start(): Promise<void>
  restart(): Promise<void>
  /** After `halt`: the same data on another timeline, as when a standby becomes the primary. */
  promote(): Promise<void>
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const user = userForServer()
  // The temporary folder of root may be closed to the user that Postgres has to run as.
  const folder = mkdtempSync(join(user.uid === undefined ? tmpdir() : '/tmp', 'boardsync-postgres-'))
  try {
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
    const programs = findPostgres(user, folder, options.source)
    makeCluster(programs, user, folder)
    const server = new Server(folder, programs, user, options)
    await server.startOnFreePort()
    return server
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

const environment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
const clusterIn = (folder: string) => join(folder, 'cluster')

function makeCluster(programs: PostgresPrograms, user: ServerUser, folder: string): void {
  const initdb = join(programs.folder, 'initdb')
  const options = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync']
  const made = spawnSync(initdb, ['-D', clusterIn(folder), ...options], {
    ...user,
    cwd: folder,
    env: environment,
    encoding: 'utf8',
  })
  if (made.error) throw made.error
  if (made.status !== 0) throw new Error(`initdb failed:\n${made.stdout}${made.stderr}`)
}

class PortTaken extends Error {}

class Server implements Postgres {
  readonly programs: PostgresPrograms
  readonly #folder: string
  readonly #user: ServerUser
  readonly #settings: Record<string, string>
  #port = 0
  #process: ChildProcess | undefined
  #log = ''
  #databases = 0

  constructor(folder: string, programs: PostgresPrograms, user: ServerUser, options: PostgresOptions) {
    this.programs = programs
    this.#folder = folder
    this.#user = user
    this.#settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '100',
      fsync: options.fsync === false ? 'off' : 'on',
      ...options.settings,
    }
  }

  get url(): string {
    return this.#urlOf('postgres')
  }

  get pid(): number {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error('this Postgres is not running')
    return pid
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#port = await freePort()
      try {
        return await this.start()
      } catch (error) {
        if (!(error instanceof PortTaken) || attempt === 5) throw error
      }
    }
  }

  start(): Promise<void> {
    return this.#startWith({})
  }

  async promote(): Promise<void> {
    const signal = join(clusterIn(this.#folder), 'recovery.signal')
    writeFileSync(signal, '')
    if (this.#user.uid !== undefined && this.#user.gid !== undefined) chownSync(signal, this.#user.uid, this.#user.gid)
    // No archive has anything more: recovery ends with what is there, and begins a timeline.
    await this.#startWith({ restore_command: 'false', hot_standby: 'off' })
  }

  async #startWith(more: Record<string, string>): Promise<void> {
    if (this.#process) throw new Error('this Postgres is already running')
    this.#log = ''
    const settings = Object.entries({ ...this.#settings, ...more }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ])
    const args = ['-D', clusterIn(this.#folder), '-p', String(this.#port), ...settings]
    const server = spawn(join(this.programs.folder, 'postgres'), args, {
      ...this.#user,
      cwd: this.#folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#log += text
      })
    }
    await once(server, 'spawn')
    this.#process = server
    endWithUs(server, { signal: 'QUIT', folder: this.#folder })
    server.once('close', () => {
      this.#process = undefined
    })
    await until(() => !this.#process || this.#isOurs(), { timeout: 60_000, what: 'Postgres to answer' })
    if (!this.#process) throw this.#failureToStart()
  }

  async halt(how: 'fast' | 'immediate'): Promise<void> {
    const server = this.#process
    if (!server) return
    const gone = once(server, 'close')
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await gone
  }

  async restart(): Promise<void> {
    await this.halt('fast')
    await this.start()
  }

  async stop(): Promise<void> {
    await this.halt('immediate')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async createDatabase(name = `boardsync_${++this.#databases}`): Promise<string> {
    await this.#ask(`CREATE DATABASE ${escapeIdentifier(name)}`)
    return this.#urlOf(name)
  }

  #urlOf(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/${database}`
  }

  /** Another test's server may have got the port between our look and our start, and would answer in our place. */
  async #isOurs(): Promise<boolean> {
    const [row] = await this.#ask('SHOW data_directory')
    return row?.data_directory === clusterIn(this.#folder)
  }

  async #ask(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 5_000 })
    try {
      await client.connect()
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  #failureToStart(): Error {
    const report = `Postgres ended at its start:\n${this.#log}`
    return /address already in use/i.test(this.#log) ? new PortTaken(report) : new Error(report)
  }
}
