/** A standby that became the primary: whatever a board's head says, its history is another one, from the first statement on. */

import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { decide, newChange } from '../../test/storage/outbox-cases.ts'
import { batch, freshBoard, silent } from '../../test/storage/site.ts'
import { Secret } from '../base/secret.ts'
import { migratePostgres } from './migrate.ts'
import { connectPostgres } from './postgres.ts'
import { storageOn } from './storage.ts'

const use = releasing()

test('every board has another epoch then, which each read tells and each write obeys', async () => {
  const postgres = use(await startPostgres())
  const url = new Secret(postgres.url)
  await migratePostgres(url, silent)
  const database = use(connectPostgres(url, silent), given => given.close())
  const { boards, archive, past, changes } = storageOn(database, 30, silent)
  const board = freshBoard()
  const { epoch } = await boards.create(board)
  const [stored] = await database.query<{ epoch: number }>('SELECT epoch FROM boardsync.boards WHERE id = $1', [board])
  expect(stored?.epoch).toBe(epoch)
  await boards.append(randomUUID(), [batch(board, 'a', 'b')])
  await changes.submit(newChange(board, 'x'), false)

  await postgres.halt('fast')
  await postgres.promote()

  const now = (await until(() => boards.head(board)))?.epoch
  expect(now).not.toBe(epoch)
  expect((await boards.create(board)).epoch).toBe(now)
  expect((await boards.headsOtherThan([{ board, epoch, headSeq: 2 }])).get(board)?.epoch).toBe(now)
  expect(await boards.headsOtherThan([{ board, epoch: now ?? 0, headSeq: 2 }])).toEqual(new Map())
  expect((await archive.read(board, 0))?.head.epoch).toBe(now)
  expect((await archive.read(board, 2))?.head.epoch).toBe(now)
  expect(await past.since(board, 2, false)).toMatchObject({ head: { epoch: now } })
  expect((await archive.save(board, epoch, 2, Uint8Array.of(0, 0))).outcome).toBe('store-went-back')
  const drain = (known: number) =>
    changes.drain(board, { epoch: known, seq: 2 }, randomUUID(), pending => pending.map(decide))
  expect(await drain(epoch)).toEqual({ kind: 'store-went-back' })
  expect(await drain(now ?? 0)).toMatchObject({ kind: 'drained', lastSeq: 3 })
  const batchId = randomUUID()
  expect((await boards.append(batchId, [batch(board, 'c')])).get(board)).toMatchObject({ epoch: now, lastSeq: 4 })
  expect((await boards.appendAgain(batchId, [batch(board, 'c')])).get(board)).toMatchObject({ epoch: now, lastSeq: 4 })
  expect((await archive.save(board, now ?? 0, 4, Uint8Array.of(0, 0))).outcome).toBe('saved')
})
