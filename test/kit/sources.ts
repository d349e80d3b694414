/** The project's own TypeScript, read for the tests that hold its structure. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

const notOurs = new Set(['node_modules', 'dist', 'data'])

/** Source text of every .ts and .tsx file by its path from the root, with `/`. */
export function readSources(): Map<string, string> {
  const sources = new Map<string, string>()
  const read = (folder: string): void => {
    for (const entry of readdirSync(join(projectRoot, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name)
      if (entry.isDirectory() && !notOurs.has(entry.name) && !entry.name.startsWith('.')) read(path)
      if (entry.isFile() && /\.tsx?$/.test(entry.name)) sources.set(path, readFileSync(join(projectRoot, path), 'utf8'))
    }
  }
  read('.')
  return sources
}
