/** A folder for one test, for example the `DATA_DIR` that several instances have one after the other. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stoppable } from './releasing.ts'

export interface TemporaryFolder extends Stoppable {
  readonly path: string
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'boardsync-'))
  return { path, stop: () => rmSync(path, { recursive: true, force: true }) }
}
