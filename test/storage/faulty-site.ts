/** A Postgres with a proxy before it, for what happens when the connection to it fails. */

import { randomUUID } from 'node:crypto'
import { StorageError } from '../../core/base/errors.ts'
import { Secret } from '../../core/base/secret.ts'
import type { BoardId } from '../../core/contract/board-id.ts'
import { migratePostgres } from '../../core/store/migrate.ts'
import { connectPostgres } from '../../core/store/postgres.ts'
import { type Storage, storageOn } from '../../core/store/storage.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { type Proxy as FaultProxy, startProxy } from '../kit/proxy.ts'
import type { Stoppable } from '../kit/releasing.ts'
import { batch, freshBoard, logOf, silent, textOf } from './site.ts'

export interface FaultySite extends Stoppable {
  readonly postgres: Postgres
  readonly proxy: FaultProxy
  /** Straight to the server: what is true. */
  readonly direct: Storage
  /** Through the proxy, or another address; `queryTimeoutMs` where an answer is waited for in vain. */
  open(url?: string, limits?: { queryTimeoutMs?: number }): Storage
  boardOf(...texts: string[]): Promise<{ board: BoardId; epoch: number }>
  textsOf(board: BoardId): Promise<string[]>
}

export async function faultySite(): Promise<FaultySite> {
  const postgres = await startPostgres({ fsync: false })
  await migratePostgres(new Secret(postgres.url), silent)
  const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(postgres.url).port) })
  const opened: Storage[] = []
  const open: FaultySite['open'] = (url = proxy.through(postgres.url), limits) => {
    const storage = storageOn(connectPostgres(new Secret(url), silent, limits), 30, silent)
    opened.push(storage)
    return storage
  }
  const direct = open(postgres.url)
  return {
    postgres,
    proxy,
    direct,
    open,
    boardOf: async (...texts) => {
      const board = freshBoard()
      const { epoch } = await direct.boards.create(board)
      if (texts.length > 0) await direct.boards.append(randomUUID(), [batch(board, ...texts)])
      return { board, epoch }
    },
    textsOf: async board => (await logOf(direct, board)).map(textOf),
    stop: async () => {
      await Promise.all(opened.map(storage => storage.close()))
      await proxy.stop()
      await postgres.stop()
    },
  }
}

/** @returns how the storage failed, or what else became of it */
export const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it did not fail',
    (error: unknown) => (error instanceof StorageError ? error.failure : String(error)),
  )
