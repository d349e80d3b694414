/** Two instances on one store and a real Redis, which goes away and comes back. */

import { expect, test } from 'vitest'
import { onRedis } from '../kit/on-redis.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard } from '../kit/site.ts'
import type { StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing()
const shared = onRedis(use)

/** A person called `name` at an instance of their own. */
async function person(board: string, name: string, compareEveryMs = 3_600_000): Promise<StockClient> {
  const { site } = await shared.startOnRedis({ compareEveryMs })
  const client = use(await site.join(board))
  client.awareness.setLocalState({ user: { name } })
  return client
}

const value = (client: StockClient, key: string) => client.doc.getMap('tldraw').get(key)
const sees = ({ awareness }: StockClient, name: string) =>
  [...awareness.getStates().values()].some(state => state.user?.name === name)

test('edits and people are at the other instance at once; also after an outage; and edits during it', async () => {
  const board = freshBoard()
  const [alice, bob] = [await person(board, 'Alice'), await person(board, 'Bob')]
  await until(() => sees(alice, 'Bob') && sees(bob, 'Alice'))
  alice.doc.getMap('tldraw').set('before', 1)
  await until(bob.doc, () => value(bob, 'before') === 1)

  await shared.redis.halt()
  alice.doc.getMap('tldraw').set('during', 2)
  await until(bob.doc, () => value(bob, 'during') === 2)
  alice.awareness.setLocalState({ user: { name: 'Alicia' } })

  await shared.redis.start()
  // What was said during the outage is made up for, long before the next heartbeat.
  await until(() => sees(bob, 'Alicia'), { timeout: 5_000 })
  alice.doc.getMap('tldraw').set('after', 3)
  await until(bob.doc, () => value(bob, 'after') === 3)
  expect([alice.codes, bob.codes]).toEqual([[], []])
})
