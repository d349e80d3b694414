/**
 * What an open, idle board costs in memory: the server's RSS with many boards open, one peer and 50 shapes on each.
 * `npm run bench`. Prints one line per number of boards; the first gives the base.
 */
import { readFile } from 'node:fs/promises'
import { startInstance } from '../test/kit/instance.ts'
import { startPostgres } from '../test/kit/postgres.ts'
import { connectStock, type StockClient } from '../test/kit/stock-client.ts'
import { until } from '../test/kit/until.ts'

const steps = [0, 100, 250, 500]
const shapesPerBoard = 50

/** Megabytes, from proc(5): so this runs on Linux. */
async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** RSS once it has stopped changing by more than 1 MB between two looks: garbage collected, snapshots written. */
async function settledMemory(pid: number): Promise<number> {
  let last = await residentMemory(pid)
  await until(
    async () => {
      const now = await residentMemory(pid)
      const settled = Math.abs(now - last) < 1
      last = now
      return settled
    },
    { timeout: 60_000, what: 'the memory to settle' },
  )
  return last
}

async function openBoard(wsUrl: string, name: string): Promise<StockClient> {
  const client = connectStock(wsUrl, name)
  await client.synced
  client.doc.transact(() => {
    for (let n = 0; n < shapesPerBoard; n++) {
      client.doc
        .getMap('tldraw')
        .set(`shape:${n}`, { id: `shape:${n}`, typeName: 'shape', x: n, y: n, text: 'x'.repeat(300) })
    }
  })
  return client
}

const postgres = await startPostgres()
const instance = await startInstance({ DATABASE_URL: await postgres.createDatabase() })
const clients: StockClient[] = []
try {
  let base = 0
  for (const boards of steps) {
    while (clients.length < boards) clients.push(await openBoard(instance.wsUrl, `idle-${clients.length}`))
    const rss = await settledMemory(instance.pid)
    if (boards === 0) base = rss
    const each = boards === 0 ? '' : `, ${(((rss - base) / boards) * 1024).toFixed(0)} kB per board and peer`
    console.log(`${boards} boards: ${rss.toFixed(0)} MB${each}`)
  }
} finally {
  for (const client of clients) client.stop()
  await instance.stop()
  await postgres.stop()
}
