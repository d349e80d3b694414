/** An agent on boards of several sizes: what its requests take, and what people on another board notice of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { Pair } from '../load/pair.ts'
import { type Figures, newBoard, percentile, type Scale, type Scenario } from '../scenario.ts'
import type { Server } from '../servers.ts'
import { draw } from './opening.ts'

const sizes = [1_000, 20_000, 100_000]
const timesOf: Record<Scale, number> = { smoke: 2, quick: 20, full: 50 }
/** A snapshot is written 2 s after the last edit. */
const untilStoredMs = 5_000
/** Where nothing lies: everything is looked at. */
const nowhere = 'bbox=-9000,-9000,-8000,-8000'

async function agentOn(server: Server, scale: Scale): Promise<Figures> {
  const figures: Figures = {}
  for (const [index, size] of sizes.entries()) {
    const board = newBoard()
    await draw(server, board, scale === 'smoke' ? index + 3 : size)
    await pause(scale === 'smoke' ? 0 : untilStoredMs)
    const items = `${String(server.urls[0]).replace('ws', 'http')}/v1/boards/${board}/items`
    const pair = await Pair.start(server)
    // The first request finds the board as bytes, and the server its code cold.
    const first = await post(items)
    await took(() => ask(`${items}?${nowhere}`))
    await pause(scale === 'smoke' ? 0 : 1_500)
    const atFirst = Math.max(...pair.latencies())
    const posts: number[] = []
    for (let times = 0; times < timesOf[scale]; times++) {
      posts.push(await post(items))
      await pause(20)
    }
    const page = await took(() => ask(items))
    const search = await took(() => ask(`${items}?${nowhere}`))
    await pair.stop()
    const others = Math.max(...pair.latencies())
    Object.assign(figures, {
      [`first${size}`]: first,
      [`post${size}`]: percentile(posts, 0.5),
      [`page${size}`]: page,
      [`search${size}`]: search,
      [`atFirst${size}`]: atFirst,
      [`others${size}`]: others,
    })
    const { item_count } = (await ask(items.replace(/\/items$/, ''))) as { item_count: number }
    const expected = (scale === 'smoke' ? index + 3 : size) + timesOf[scale] + 1
    if (item_count !== expected) throw new Error(`the board has ${item_count} items instead of ${expected}`)
  }
  return figures
}

/** @returns ms until it is on the board */
const post = (items: string): Promise<number> =>
  took(() =>
    ask(items, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'sticky', x: 0, y: 0, content: { text: 'by an agent' } }),
    }),
  )

async function ask(url: string, how?: RequestInit): Promise<unknown> {
  const answer = await fetch(url, how)
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return answer.json()
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const each = (key: string, title: string) =>
  sizes.map(size => ({ key: `${key}${size}`, title: `${title}, ${size.toLocaleString('en')} shapes`, digits: 0 }))

export const agents: readonly Scenario[] = [
  {
    name: 'agents',
    title: 'An agent works on a board while two people draw on another',
    about:
      'It posts fifty items, one after the other, reads a page of the list, and searches a place where nothing lies. In ms; first: the ' +
      'first request for the board. The slowest edit of the two people meanwhile, and in the first requests and the 1.5 s after them.',
    servers: ['boardsync'],
    figures: [
      ...each('post', 'post'),
      ...each('first', 'first'),
      ...each('page', 'page'),
      ...each('search', 'search'),
      ...each('others', 'slowest edit of others'),
      ...each('atFirst', 'the same at first'),
    ],
    goals: sizes.map(size => ({ figure: `others${size}`, atMost: 80 })),
    run: agentOn,
  },
]
