/** A real Redis for tests: a server of its own on a free port of 127.0.0.1; the machine's own program, else apt's. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Redis as Client } from 'ioredis'
import { freePort } from './free-port.ts'
import { endWithUs } from './last-will.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

export interface Redis {
  /** The same after a restart. */
  readonly url: string
  /** As another program would use it. Ends with the server. */
  readonly client: Client
  /** The outage: everything it held is gone. */
  halt(): Promise<void>
  /** After `halt`, on the same port. */
  start(): Promise<void>
  /** It takes connections and answers none. */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

export interface RedisOptions {
  /** What clients have to know. */
  password?: string
  /** Files: it speaks TLS only. */
  tls?: { key: string; certificate: string; authority: string }
  /** More of its own settings, as on its command line. */
  args?: readonly string[]
}

/** @returns a server that answers */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const server = await absentRedis(options)
  await server.start()
  return server
}

/** One that is not running yet, for instances that start before it. */
export async function absentRedis({ password, tls, args: more = [] }: RedisOptions = {}): Promise<Redis> {
  const program = findRedis() ?? installRedis()
  const folder = temporaryFolder()
  const port = await freePort()
  const url = `${tls ? 'rediss' : 'redis'}://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`
  const args = [
    tls ? '--tls-port' : '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder.path,
  ]
  if (password !== undefined) args.push('--requirepass', password)
  if (tls) {
    const { key, certificate, authority } = tls
    args.push('--port', '0', '--tls-key-file', key, '--tls-cert-file', certificate, '--tls-ca-cert-file', authority)
    args.push('--tls-auth-clients', 'no')
  }
  args.push(...more)
  const client = new Client(url, {
    lazyConnect: true,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(tls && { tls: { ca: readFileSync(tls.authority) } }),
  })
  client.on('error', () => {}) // it is halted on purpose
  let running: ChildProcess | undefined
  let log = ''

  const server: Redis = {
    url,
    client,
    async halt() {
      const child = running
      if (!child) return
      running = undefined
      const gone = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await gone
    },
    async start() {
      if (running) throw new Error('this Redis is already running')
      log = ''
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      await once(child, 'spawn')
      running = child
      endWithUs(child, { signal: 'KILL', folder: folder.path })
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', text => {
          log += text
        })
      }
      await until(() => log.includes('Ready to accept connections') || child.exitCode !== null, {
        what: 'Redis to accept connections',
      })
      if (child.exitCode !== null) throw new Error(`Redis ended at its start:\n${log}`)
    },
    pause: () => running?.kill('SIGSTOP'),
    resume: () => running?.kill('SIGCONT'),
    async stop() {
      client.disconnect()
      await server.halt()
      folder.stop()
    },
  }
  return server
}

function findRedis(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return folders.map(folder => join(folder, 'redis-server')).find(path => existsSync(path))
}

function installRedis(): string {
  const byHand =
    process.platform === 'darwin'
      ? 'brew install redis'
      : 'sudo sh -c "apt-get update && apt-get install -y redis-server"'
  const isOurs = process.getuid?.() === 0 && existsSync('/etc/debian_version')
  if (!isOurs) throw new Error(`the tests need redis-server on the PATH. Type: ${byHand}`)

  // Test files run side by side: the second one waits for the first one's installation, and then finds it.
  const lock = join(tmpdir(), 'boardsync-apt.lock')
  const install =
    'command -v redis-server || { apt-get update && apt-get install -y --no-install-recommends redis-server; }'
  // The package would start a server of its own where the machine starts services.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const ran = spawnSync('flock', [lock, 'sh', '-c', install], { env, encoding: 'utf8' })
  const found = findRedis()
  if (!found) throw new Error(`apt could not install Redis. Type: ${byHand}\n${ran.error ?? ran.stderr}`)
  return found
}
