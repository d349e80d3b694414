/** People with stock clients on two instances of one board see each other as if they were on one. */

import { afterAll, beforeAll, test } from 'vitest'
import type { Storage } from '../../core/store/storage.ts'
import { releasing, type Stoppable } from '../kit/releasing.ts'
import { embeddedStorage, freshBoard, Site } from '../kit/site.ts'
import { connectStock, type StockClient } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'
import { watchedBus } from '../kit/watched-bus.ts'

const use = releasing()
let storage: Storage & Stoppable
beforeAll(async () => {
  storage = await embeddedStorage()
})
afterAll(() => storage.stop())

async function two() {
  const bus = watchedBus()
  const options = { storage, bus, compareEveryMs: 3_600_000 }
  const [one, other] = [use(await Site.start(options)), use(await Site.start({ ...options, applies: false }))]
  return { bus, one, other, board: freshBoard() }
}

async function enter(site: Site, board: string, name: string): Promise<StockClient> {
  const client = await site.join(board)
  client.awareness.setLocalState({ user: { name } })
  return client
}

/** Names of those a client sees beside itself. */
const seenBy = ({ awareness }: StockClient): string[] =>
  [...awareness.getStates()]
    .filter(([id]) => id !== awareness.clientID)
    .map(([, state]) => state.user?.name)
    .sort()

const sees = (client: StockClient, ...names: string[]) =>
  until(() => JSON.stringify(seenBy(client)) === JSON.stringify(names), { what: `${names} are seen` })

test('they see each other, both ways, also who was there before them', async () => {
  const { one, other, board } = await two()
  const alice = use(await enter(one, board, 'Alice'))
  const bob = use(await enter(other, board, 'Bob'))
  await sees(alice, 'Bob')
  await sees(bob, 'Alice')
  alice.awareness.setLocalStateField('user', { name: 'Alicia' })
  await sees(bob, 'Alicia')
})

test('who leaves is gone on the other instance too, and comes back', async () => {
  const { one, other, board } = await two()
  const alice = use(await enter(one, board, 'Alice'))
  const bob = use(await enter(other, board, 'Bob'))
  await sees(bob, 'Alice')
  alice.provider.disconnect()
  await sees(bob)
  alice.provider.connect()
  await sees(bob, 'Alice')
})

test('whose instance closes is gone at once, and seen again on the next', async () => {
  const { bus, other, board } = await two()
  const first = await Site.start({ storage, bus, compareEveryMs: 3_600_000 })
  const bob = use(await enter(other, board, 'Bob'))
  const alice = await enter(first, board, 'Alice')
  await sees(bob, 'Alice')
  alice.provider.shouldConnect = false
  await first.stop()
  await sees(bob)
  const third = use(await Site.start({ storage, bus, compareEveryMs: 3_600_000 }))
  const { doc, awareness } = alice
  alice.provider.destroy()
  awareness.setLocalState({ user: { name: 'Alice' } })
  const back = use(connectStock(third.wsUrl, board, { doc, awareness }))
  await sees(bob, 'Alice')
  // A stock client that has lost its connection shows nobody again before they move.
  bob.awareness.setLocalStateField('user', { name: 'Bobby' })
  await sees(back, 'Bobby')
})

test('who moves to another instance before the first notices stays visible everywhere', async () => {
  const { one, other, board } = await two()
  const bob = use(await enter(one, board, 'Bob'))
  const carol = use(await enter(other, board, 'Carol'))
  const alice = use(await enter(one, board, 'Alice'))
  await sees(carol, 'Alice', 'Bob')
  const { doc, awareness } = alice
  // The same person with the same clock, while the first connection is still open.
  const moved = use(connectStock(other.wsUrl, board, { doc, awareness }))
  await moved.synced
  alice.provider.ws?.close()
  alice.provider.shouldConnect = false
  await until(() => (awareness.meta.get(awareness.clientID)?.clock ?? 0) > 1, { what: 'announced anew' })
  await sees(carol, 'Alice', 'Bob')
  await sees(bob, 'Alice', 'Carol')
})
