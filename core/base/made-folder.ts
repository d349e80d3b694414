/**
 * Folders that are made out of other files: each in `dist/<name>-<hash of all that goes into it>`, once.
 *
 * One is made beside its place and renamed when complete: what stands there is whole, who uses an older one keeps it, and two
 * processes that make the same at once don't disturb each other.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))

const partFolder = /^part-/
const kept = 3
const keptMs = 7 * 24 * 3_600_000
const abandonedMs = 3_600_000

/**
 * @param hash hexadecimal, of all that goes into the folder
 * @param make fills the folder it is given, which is there and empty
 * @returns the folder's path
 * @throws what `make` throws; the system's error where nothing can be written
 */
export async function ensureMade(
  name: string,
  hash: string,
  make: (folder: string) => Promise<void>,
  within = dist,
): Promise<string> {
  const folder = join(within, `${name}-${hash.slice(0, 16)}`)
  if (existsSync(folder)) return folder
  const part = join(within, `part-${name}-${randomUUID()}`)
  try {
    await mkdir(part, { recursive: true })
    await make(part)
    await rename(part, folder)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    // Somebody else was faster: the same sources make the same folder.
    if (!existsSync(folder)) throw error
  }
  await removeOld(name, within)
  return folder
}

async function removeOld(name: string, within: string): Promise<void> {
  const folders = (await Promise.all((await readdir(within)).map(entry => ageOf(entry, within)))).filter(
    folder => folder !== undefined,
  )
  const made = folders.filter(folder => folder.name.startsWith(`${name}-`)).sort((a, b) => a.age - b.age)
  const old = made.slice(kept).filter(({ age }) => age > keptMs)
  const abandoned = folders.filter(folder => partFolder.test(folder.name) && folder.age > abandonedMs)
  for (const { name } of [...old, ...abandoned]) await rm(join(within, name), { recursive: true, force: true })
}

async function ageOf(name: string, within: string): Promise<{ name: string; age: number } | undefined> {
  try {
    return { name, age: Date.now() - (await stat(join(within, name))).mtimeMs }
  } catch {
    // Another process has renamed or removed it since it was listed.
    return undefined
  }
}
