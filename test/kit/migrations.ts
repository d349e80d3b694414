/** The migrations there are, in their order: read from their folder, so that a new one is not listed a second time. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './sources.ts'

export const allMigrations: readonly string[] = readdirSync(join(projectRoot, 'migrations'))
  .filter(file => file.endsWith('.sql'))
  .map(file => file.replace(/\.sql$/, ''))
  .sort()
