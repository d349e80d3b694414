/**
 * One process per data directory. PGlite takes no lock of its own, and two processes on one folder destroy it.
 *
 * The lock is the file `boardsync.lock`, created with O_EXCL, holding the owner's pid and the time that process started
 * (a pid alone may belong to somebody else by now). It is taken over only from a process that is gone.
 */
import { readFileSync } from 'node:fs'
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigurationError } from '../base/errors.ts'

interface Owner {
  pid: number
  /** Clock ticks between boot and the process's start, where the system tells (Linux); else empty. */
  started: string
}

/** @returns a function that gives the directory back. @throws ConfigurationError when a living process has it */
export async function lockDataDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(resolve(directory), 'boardsync.lock')
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner)
  // Written aside and linked into place: the lock file never exists half-written.
  const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
  await writeFile(aside, mine)
  try {
    for (;;) {
      const taken = await link(aside, path).then(() => true, ignoreExisting)
      if (taken) return () => unlink(path)
      const text = await readFile(path, 'utf8').catch(ignoreMissing)
      if (text === undefined) continue
      const owner = parseOwner(text)
      if (owner && isAlive(owner)) {
        throw new ConfigurationError([
          `DATA_DIR: ${resolve(directory)} is in use by another boardsync process (pid ${owner.pid}); stop it or choose another folder`,
        ])
      }
      await removeStale(path, text)
    }
  } finally {
    await unlink(aside)
  }
}

/** Moves a dead owner's lock away; should a third process have taken it over meanwhile, puts that one's back. */
async function removeStale(path: string, expected: string): Promise<void> {
  const away = `${path}.stale.${process.pid}.${Math.random().toString(36).slice(2)}`
  const moved = await rename(path, away).then(() => true, ignoreMissing)
  if (!moved) return
  if ((await readFile(away, 'utf8')) !== expected) await link(away, path).catch(ignoreExisting)
  await unlink(away)
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(text)
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || !('started' in owner)) return undefined
    return typeof owner.pid === 'number' ? { pid: owner.pid, started: String(owner.started) } : undefined
  } catch {
    return undefined // not ours or torn: nobody holds the directory by it
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.pid === process.pid) return owner.started === startOf(process.pid)
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
  }
  return startOf(owner.pid) === owner.started
}

/** Field 22 of /proc/<pid>/stat (proc(5)); the command in field 2 may hold spaces and parentheses. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return '' // no /proc here: the pid alone has to do
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

function ignoreExisting(error: unknown): false {
  if (codeOf(error) === 'EEXIST') return false
  throw error
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}
