/** Where the storage contract is held to: the same storage on each kind of database, with the database itself to spoil it. */

import { randomUUID } from 'node:crypto'
import { createLogger } from '../../core/base/log.ts'
import { Secret } from '../../core/base/secret.ts'
import { type BoardId, parseBoardId } from '../../core/contract/board-id.ts'
import type { BoardBatch, LogEntry, LogRow } from '../../core/store/board-log.ts'
import type { Database } from '../../core/store/database.ts'
import { openEmbedded } from '../../core/store/embedded.ts'
import { beginEmpty } from '../../core/store/empty-database.ts'
import { migrateEmbedded, migratePostgres } from '../../core/store/migrate.ts'
import { connectPostgres } from '../../core/store/postgres.ts'
import { type Storage, storageOn } from '../../core/store/storage.ts'
import { startPostgres } from '../kit/postgres.ts'
import type { Stoppable } from '../kit/releasing.ts'
import { temporaryFolder } from '../kit/temporary-folder.ts'

export interface Site extends Stoppable {
  readonly storage: Storage
  readonly database: Database
}

/** A database that several instances share, each with connections of its own. */
export interface SharedSite extends Site {
  anotherInstance(): { storage: Storage; database: Database }
}

export const silent = createLogger('silent')
const historyDays = 30

export async function embeddedSite(): Promise<Site> {
  const folder = temporaryFolder()
  const database = await openEmbedded(folder.path, silent, { begin: beginEmpty })
  await migrateEmbedded(database, silent)
  const stop = async () => {
    await database.close()
    folder.stop()
  }
  return { database, storage: storageOn(database, historyDays, silent), stop }
}

export async function postgresSite(): Promise<SharedSite> {
  const postgres = await startPostgres({ fsync: false })
  const url = new Secret(postgres.url)
  await migratePostgres(url, silent)
  const opened: Database[] = []
  const anotherInstance = () => {
    const database = connectPostgres(url, silent)
    opened.push(database)
    return { database, storage: storageOn(database, historyDays, silent) }
  }
  const stop = async () => {
    await Promise.all(opened.map(database => database.close()))
    await postgres.stop()
  }
  return { ...anotherInstance(), anotherInstance, stop }
}

export const freshBoard = (): BoardId => parseBoardId(randomUUID())

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const textOf = (row: LogRow): string => new TextDecoder().decode(row.data)

/** A batch of edits that are text, so that a test can read what it got back. */
export function batch(board: BoardId, ...texts: string[]): BoardBatch {
  return { board, entries: texts.map(text => entry(text)) }
}

export const entry = (text: string, actor: LogEntry['actor'] = 'human:ann'): LogEntry => ({ actor, data: bytes(text) })

/** The whole log of a board that was never snapshotted. */
export async function logOf({ archive }: Storage, board: BoardId): Promise<LogRow[]> {
  const stored = await archive.read(board, 0)
  if (!stored) throw new Error(`there is no board ${board}`)
  return stored.rows
}

export async function deleteBoard(database: Database, board: BoardId): Promise<void> {
  await database.query('UPDATE boardsync.boards SET deleted_at = now() WHERE id = $1', [board])
}
