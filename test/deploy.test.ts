/** Holds together what is deployed: image, compose file and CI name only things that exist, and leave out nothing needed. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../core/base/config.ts'
import { loadedBy } from './kit/imports.ts'
import { startCommand } from './kit/instance.ts'
import { releasing } from './kit/releasing.ts'
import { projectRoot, readSources } from './kit/sources.ts'

const use = releasing()
const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8')
/** Its lines without comments, continued ones joined. */
const linesOf = (file: string): string[] =>
  read(file)
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter(line => line.trim() && !line.startsWith('#'))

/** Every setting there is, given or commented out, and what stands behind it. */
const settingsWithValues = (): [name: string, value: string][] =>
  [...read('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value])
const settings = (): string[] => settingsWithValues().map(([name]) => name)

describe('the example of an env file', () => {
  test('has no comment behind a value, which compose and `docker run` take for the value or a part of it', () => {
    expect(settings().length).toBeGreaterThan(20)
    expect(settingsWithValues().filter(([, value]) => /#|\s$/.test(value))).toEqual([])
  })

  test('sets nothing as it stands, and shows the defaults', () => {
    expect(linesOf('.env.example')).toEqual([])
    expect(readConfig(Object.fromEntries(settingsWithValues()))).toEqual(readConfig({}))
  })

  test('says how to start with it: as `npm start` does', () => {
    expect(read('.env.example')).toContain(`\n# ${startCommand.replace('node ', 'node --env-file=.env ')}\n`)
  })
})

describe('the image', () => {
  const instructions = linesOf('Dockerfile')
  const argumentsOf = (word: string) =>
    instructions.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1).trim())
  const start = instructions.findLastIndex(line => line.startsWith('FROM '))
  const runtime = instructions.slice(start)
  /** Out of the project's own folder, not from an earlier stage. */
  const copied = (lines: string[]) =>
    lines
      .flatMap(line => /^COPY (?!--from)(.+) \S+$/.exec(line)?.[1]?.split(/\s+/) ?? [])
      .map(path => path.replace(/^\.\//, ''))

  test('is made of files that exist and that .dockerignore lets through', () => {
    const allowed = linesOf('.dockerignore').flatMap(line => (line.startsWith('!') ? [line.slice(1)] : []))
    expect(linesOf('.dockerignore')[0]).toBe('*')
    expect(allowed.filter(path => !existsSync(join(projectRoot, path)))).toEqual([])
    expect(copied(runtime).filter(path => !allowed.includes(path))).toEqual([])
    expect(argumentsOf('COPY').filter(line => line.includes('node_modules/'))).toEqual([
      '--from=build /app/node_modules/tldraw/LICENSE.md ./licenses/tldraw.md',
    ])
    expect(existsSync(join(projectRoot, 'node_modules/tldraw/LICENSE.md'))).toBe(true)
  })

  test('holds every file the server loads, and the packages of every import', () => {
    const { files, packages } = loadedBy('main.ts', readSources())
    const missing = [...files].filter(
      file => !copied(runtime).some(path => file === path || file.startsWith(`${path}/`)),
    )
    expect(missing).toEqual([])
    const { dependencies } = JSON.parse(read('package.json'))
    expect([...packages].filter(name => !(name in dependencies))).toEqual([])
    expect(files.size).toBeGreaterThan(10)
  })

  test('sets only settings that exist', () => {
    const set = argumentsOf('ENV').flatMap(line => [...line.matchAll(/([A-Z_]+)=/g)].map(([, name]) => name))
    expect(set).toContain('PORT')
    expect(set.filter(name => name !== 'NODE_ENV' && !settings().includes(String(name)))).toEqual([])
  })

  test('runs the server itself, not as root, and stops it as the server expects', () => {
    expect(runtime).toContain('USER node')
    expect(runtime).toContain('STOPSIGNAL SIGTERM')
    // As `npm start` does; Node 24 needs nothing to run TypeScript.
    expect(runtime.at(-1)).toBe(
      `CMD ${JSON.stringify(startCommand.replace(' --import tsx', '').split(' ')).replaceAll(',', ', ')}`,
    )
    for (const from of argumentsOf('FROM')) expect(from).toMatch(/^node:24-slim\b/)
  })
})

test.each([
  [200, 0],
  [503, 1],
])('the image is asked for its health by Node, for it has no curl: %i exits %i', async (status, code) => {
  const [, , check = ''] = /HEALTHCHECK (.*?)CMD (\[.*\])/.exec(linesOf('Dockerfile').join('\n')) ?? []
  const [command = '', ...args]: string[] = JSON.parse(check)
  const asked: unknown[] = []
  const server = use(createServer(), given => given.close())
  server.on('request', (request, answer) => {
    asked.push(request.url)
    answer.writeHead(status).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  const { port } = server.address() as AddressInfo
  const [exit] = await once(spawn(command, args, { env: { PATH: process.env.PATH, PORT: String(port) } }), 'exit')
  expect(asked).toEqual(['/health'])
  expect(exit).toBe(code)
})

describe('the compose file', () => {
  interface Service {
    build?: string
    environment: Record<string, string | null>
    depends_on?: object
    healthcheck?: object
    ports?: string[]
    volumes?: string[]
  }
  const { services, volumes }: { services: Record<string, Service>; volumes: object } = parse(
    read('docker-compose.yml'),
    { merge: true },
  )

  const instances = ['ws-1', 'ws-2', 'api'].map(name => services[name])
  const first = services['ws-1']

  test('sets only settings that exist', () => {
    const set = instances.flatMap(instance => Object.keys(instance?.environment ?? {}))
    expect(set).toContain('DATABASE_URL')
    expect(set.filter(name => !settings().includes(name))).toEqual([])
  })

  test('hands on every setting that it does not decide itself', () => {
    const decided = [
      'DATA_DIR',
      'DATABASE_URL',
      'HOST',
      'MIGRATION_DATABASE_URL',
      'PORT',
      'REDIS_URL',
      'ROLE',
      'TRUST_PROXY',
    ]
    const handedOn = Object.entries(first?.environment ?? {}).filter(([name]) => !decided.includes(name))
    expect(new Set(handedOn.map(([name]) => name))).toEqual(new Set(settings().filter(name => !decided.includes(name))))
    // Null: only where it is set.
    expect(handedOn.filter(([name, value]) => name !== 'ADMIN_KEY' && value !== null)).toEqual([])
  })

  test('has the server believe one proxy, which is the one it runs', () => {
    expect(first?.environment.TRUST_PROXY).toBe('1')
  })

  test('has no secret of its own: each must be given', () => {
    expect(first?.environment.ADMIN_KEY).toMatch(/^\$\{ADMIN_KEY:\?.+\}$/)
    expect(services.postgres?.environment.POSTGRES_PASSWORD).toMatch(/^\$\{POSTGRES_PASSWORD:\?.+\}$/)
    expect(first?.environment.DATABASE_URL).toMatch(/:\$\{POSTGRES_PASSWORD:\?.+\}@postgres:/)
  })

  test('starts the server once its database answers, and keeps the data', () => {
    expect(first?.depends_on).toMatchObject({ postgres: { condition: 'service_healthy' } })
    expect(services.postgres?.healthcheck).toBeDefined()
    expect(services.postgres?.volumes).toEqual(['postgres:/var/lib/postgresql'])
    expect(volumes).toHaveProperty('postgres')
  })

  test('runs two instances for sockets and one for REST that differ in their role only, on services that are there', () => {
    expect(instances.map(instance => instance?.environment.ROLE)).toEqual(['ws', 'ws', 'api'])
    const { build, ...shared } = first ?? {}
    expect(build).toBe('.')
    for (const instance of instances) {
      const { build: _, ...own } = instance ?? {}
      expect({ ...own, environment: { ...instance?.environment, ROLE: 'ws' } }).toEqual(shared)
      expect(instance).not.toHaveProperty('ports')
    }
    expect(Object.keys(services)).toContain(new URL(String(first?.environment.REDIS_URL)).hostname)
    expect(services.redis).not.toHaveProperty('ports')
    expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(first?.depends_on ?? {})))
  })

  test('builds its image once: builds of one tag at the same time fail', () => {
    expect(Object.keys(services).filter(name => services[name]?.build !== undefined)).toEqual(['ws-1'])
  })

  test('lets people in by the proxy alone, on this machine, which knows every instance by its name and port', () => {
    const { proxy } = services
    expect(proxy?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\$\{PORT:-8080\}:8080$/)])
    // The second: certificates outlive the container.
    expect(proxy?.volumes).toEqual(['./deploy/Caddyfile:/etc/caddy/Caddyfile:ro', 'caddy:/data'])
    expect(volumes).toHaveProperty('caddy')
    const passed = linesOf('deploy/Caddyfile').filter(line => line.includes('reverse_proxy'))
    const [port] = linesOf('Dockerfile').flatMap(line => /^EXPOSE (\d+)$/.exec(line)?.[1] ?? [])
    expect(passed.map(line => line.trim())).toEqual([
      `reverse_proxy @sockets ws-1:${port} ws-2:${port} {`,
      `reverse_proxy api:${port} {`,
    ])
  })

  test('tells nobody outside what one instance counts, and asks each itself whether it is ready', () => {
    const lines = linesOf('deploy/Caddyfile').map(line => line.trim())
    expect(lines).toEqual(
      expect.arrayContaining(['@inside path /metrics /ready', 'respond @inside 404', 'health_uri /ready']),
    )
  })
})

test('CI runs the test command that the README names, and nothing else', () => {
  const command = linesOf('.ci/run').slice(-1)
  expect(linesOf('.ci/run').slice(0, -1)).toEqual(['set -euo pipefail', 'cd "$(dirname "$0")/.."'])
  expect(command).toEqual(['npm ci && npm test'])
  expect(read('README.md')).toContain(command.join())
  expect(() => accessSync(join(projectRoot, '.ci/run'), constants.X_OK)).not.toThrow()
})
