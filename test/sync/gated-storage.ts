/** A real storage whose transactions reach their COMMIT when the test lets them. */

import { Secret } from '../../core/base/secret.ts'
import type { Database, Sql } from '../../core/store/database.ts'
import { migratePostgres } from '../../core/store/migrate.ts'
import { connectPostgres } from '../../core/store/postgres.ts'
import { type Storage, storageOn } from '../../core/store/storage.ts'
import type { Stoppable } from '../kit/releasing.ts'
import { silent } from '../kit/site.ts'

export interface GatedStorage extends Storage, Stoppable {
  /** From now on a transaction with such a statement (one that writes into the log) waits right before its commit. */
  hold(statement?: RegExp): void
  /** How many wait. */
  readonly held: number
  /** Lets the first that waits through; the others and those to come are held. */
  releaseOne(): void
  release(): void
}

export async function gatedStorage(url: string): Promise<GatedStorage> {
  await migratePostgres(new Secret(url), silent)
  const database = connectPostgres(new Secret(url), silent)
  const waiting: (() => void)[] = []
  let holding: RegExp | undefined
  const pass = (statements: readonly string[]): Promise<void> =>
    statements.some(text => holding?.test(text)) ? new Promise(resolve => waiting.push(resolve)) : Promise.resolve()

  const gated: Database = {
    // One statement is a transaction of its own: begun here, so that it can be held after it was executed.
    query: <R>(text: string, parameters?: readonly unknown[], name?: string): Promise<R[]> =>
      isWrite(text)
        ? gated.transaction(sql => sql.query<R>(text, parameters, name))
        : database.query<R>(text, parameters, name),
    transaction: (work, isolation) =>
      database.transaction(async sql => {
        const writes: string[] = []
        const watched: Sql = {
          query: (text, parameters, name) => {
            if (isWrite(text)) writes.push(text)
            return sql.query(text, parameters, name)
          },
        }
        const result = await work(watched)
        await pass(writes)
        return result
      }, isolation),
    close: () => database.close(),
  }

  const storage = storageOn(gated, 30, silent)
  return {
    ...storage,
    get held() {
      return waiting.length
    },
    hold: (statement = /INSERT INTO boardsync.board_updates/) => {
      holding = statement
    },
    releaseOne: () => waiting.shift()?.(),
    release: () => {
      holding = undefined
      for (const resolve of waiting.splice(0)) resolve()
    },
    stop: () => database.close(),
  }
}

const isWrite = (text: string): boolean => /\b(INSERT|UPDATE\s+boardsync|DELETE)\b/i.test(text)
