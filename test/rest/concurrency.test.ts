/** Many agents and people at the same items at once: whoever writes a field finds it as written last. */

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readItem } from '../../core/doc/items.ts'
import { changeRecord } from '../../core/doc/record-layout.ts'
import { decided } from '../kit/decided.ts'
import { releasing } from '../kit/releasing.ts'
import { Site } from '../kit/site.ts'
import type { StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { create, listed, recordIn } from './asking.ts'

const use = releasing()
const useForAll = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

const board = 'crowd'
const ids = ['a', 'b', 'c', 'd', 'e']
const rounds = 12

/** One agent for each of these, on each item: 20 agents. */
const colorAt = (round: number) => ['red', 'blue', 'green'][round % 3]
const fontAt = (round: number) => ['mono', 'serif', 'sans'][round % 3]
const textAt = (round: number) => `round ${round}`
const creatorAt = (round: number) => `agent ${round}`
const patches = [
  (round: number) => ({ style: { color: colorAt(round) } }),
  (round: number) => ({ style: { font: fontAt(round) } }),
  (round: number) => ({ content: { text: textAt(round) } }),
  (round: number) => ({ created_by: creatorAt(round) }),
]

/** Every third time as a part of a batch. */
async function write(id: string, round: number, patch: object): Promise<void> {
  const url = `/v1/boards/${board}`
  const operations = [{ action: 'update', item: { ...patch, id } }]
  const key = { 'idempotency-key': randomUUID() }
  const answer = await decided(() =>
    round % 3 === 0
      ? site.ask('POST', `${url}/batch`, { operations }, key)
      : site.ask('PATCH', `${url}/items/${id}`, patch, key),
  )
  expect(answer.statusCode, answer.body).toBe(200)
  const applied = round % 3 === 0 ? answer.json().results[0].item : answer.json()
  expect(applied).toMatchObject(patch)
}

/** Moves these items as a person does, and sees each move arrive, whatever the agents do to the items on its way. */
async function move(person: StockClient, moved: readonly string[]): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    person.doc.transact(() => {
      for (const id of moved) {
        const before = recordIn(person.doc, id)
        if (before) changeRecord(person.doc, before, { ...before, x: round, y: -round })
      }
    })
    await until(async () => {
      const items = (await listed(site, board)).filter(({ id }) => moved.includes(String(id)))
      return items.length === moved.length && items.every(({ x, y }) => x === round && Number(y) + round === 0)
    })
  }
}

test('20 agents and 2 people at five items: no field is lost, for anybody', { timeout: 120_000 }, async () => {
  for (const id of ids) await create(site, board, { id })
  const [alice, bob] = [use(await site.join(board)), use(await site.join(board))]
  const agents = ids.flatMap(id =>
    patches.map(async patchOf => {
      for (let round = 0; round < rounds; round++) await write(id, round, patchOf(round))
    }),
  )
  expect(agents).toHaveLength(20)
  await Promise.all([...agents, move(alice, ids.slice(0, 3)), move(bob, ids.slice(3))])

  const last = rounds - 1
  const expected = {
    ...{ x: last, y: -last, content: { text: textAt(last) }, created_by: creatorAt(last) },
    style: { color: colorAt(last), font: fontAt(last) },
  }
  for (const doc of [alice.doc, bob.doc]) {
    for (const id of ids) {
      await until(doc, () => {
        expect(readItem(doc, id)).toMatchObject(expected)
        return true
      })
    }
  }
  const logged = await site.logged(board)
  for (const id of ids) expect(recordIn(logged, id)).toEqual(recordIn(alice.doc, id))
})
