/**
 * One process per data directory. PGlite takes no lock of its own, and two processes on one folder destroy it.
 *
 * The lock is the file `boardsync.lock`, created with O_EXCL, holding the owner's pid, the time that process started (a pid alone
 * may belong to somebody else by now) and where its pid counts: every container has a pid 1. It is taken over only from a process
 * that is gone. Whether one in another container is, its pid does not say: who lives touches the file every two seconds.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ConfigurationError } from '../base/errors.ts'

interface Owner {
  pid: number
  /** Clock ticks between boot and the process's start, where the system tells (Linux); else empty. */
  started: string
  /** The pid namespace and the boot in which this pid is one process, where the system tells; else empty. */
  space: string
}

const touchEveryMs = 2_000
/** Many times that: a busy machine is no reason to take a living process for dead. */
const goneAfterMs = 10_000

/**
 * @param goneAfter after so many ms without a sign of life an owner in another container is gone
 * @returns a function that gives the directory back
 * @throws ConfigurationError when a living process has it
 */
export async function lockDataDirectory(directory: string, goneAfter = goneAfterMs): Promise<() => Promise<void>> {
  const path = join(resolve(directory), 'boardsync.lock')
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid), space: ownSpace() } satisfies Owner)
  // Written aside and put into place: the lock file never exists half-written.
  const aside = `${path}.${randomUUID()}`
  await writeFile(aside, mine).catch(error => {
    throw new ConfigurationError([`DATA_DIR: ${resolve(directory)} cannot be used: ${error.message}`])
  })
  try {
    const owner = await take(path, aside, goneAfter)
    if (!owner) return held(path, mine)
    throw new ConfigurationError([
      `DATA_DIR: ${resolve(directory)} is in use by another boardsync process (pid ${owner.pid}); stop it or choose another folder`,
    ])
  } finally {
    await unlink(aside)
  }
}

/** @returns gives back what is ours */
function held(path: string, mine: string): () => Promise<void> {
  const touch = () => utimes(path, new Date(), new Date())
  // One touch that fails is made good by the next; whoever looks waits for several.
  const timer = setInterval(() => touch().catch(() => {}), touchEveryMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    if ((await readFile(path, 'utf8').catch(ignoreMissing)) === mine) await unlink(path)
  }
}

/**
 * Makes the file at `path` a link to `aside`, unless a living process has it.
 *
 * What a dead process left is replaced by whoever holds the right to do so, which is a lock of the same kind. Without it
 * two processes that both saw the dead one could each take away what the other had just put there.
 * @returns the living owner, or undefined when the lock is ours
 */
async function take(path: string, aside: string, goneAfter: number): Promise<Owner | undefined> {
  for (;;) {
    if (await link(aside, path).then(() => true, ignoreExisting)) return undefined
    const seen = await readFile(path, 'utf8').catch(ignoreMissing)
    if (seen === undefined) continue
    const owner = parseOwner(seen)
    if (owner && (owner.space === ownSpace() ? isAlive(owner) : await isTouched(path, goneAfter))) return owner

    const takeover = `${path}.takeover`
    const other = await take(takeover, aside, goneAfter)
    if (other) return other
    try {
      if ((await readFile(path, 'utf8').catch(ignoreMissing)) === seen) {
        const replacement = `${aside}.replacement`
        await link(aside, replacement)
        await rename(replacement, path)
        return undefined
      }
    } finally {
      await unlink(takeover)
    }
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(text)
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || !('started' in owner)) return undefined
    const space = 'space' in owner ? String(owner.space) : ownSpace()
    return typeof owner.pid === 'number' ? { pid: owner.pid, started: String(owner.started), space } : undefined
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

/** Whether somebody touches this file before the time is over. */
async function isTouched(path: string, withinMs: number): Promise<boolean> {
  const touchedAt = async () => (await stat(path).catch(ignoreMissing))?.mtimeMs
  const first = await touchedAt()
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    await pause(Math.min(200, withinMs / 4))
    const last = await touchedAt()
    if (last === undefined) return false // given back meanwhile
    if (last !== first) return true
  }
  return false
}

function ownSpace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return '' // no /proc here: all pids are of one machine
  }
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
