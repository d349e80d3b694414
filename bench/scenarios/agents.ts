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
    const own = await onBoardOf(scale === 'smoke' ? index + 3 : size, server, scale)
    for (const [key, value] of Object.entries(own)) figures[`${key}${size}`] = value
  }
  return figures
}

async function onBoardOf(shapes: number, server: Server, scale: Scale): Promise<Figures> {
  const board = newBoard()
  await draw(server, board, shapes)
  await pause(scale === 'smoke' ? 0 : untilStoredMs)
  await server.restart()
  const url = (name: string) => `${String(server.urls[0]).replace('ws', 'http')}/v1/boards/${name}`
  const items = `${url(board)}/items`
  const pair = await Pair.start(server)
  // Else the first request would pay for code that is cold.
  await post(`${url(newBoard())}/items`)
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
  const { item_count } = (await ask(url(board))) as { item_count: number }
  const expected = shapes + posts.length + 1
  if (item_count !== expected) throw new Error(`the board has ${item_count} items instead of ${expected}`)
  return { first, post: percentile(posts, 0.5), page, search, atFirst, others }
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
      'first for that board after a restart. The slowest edit of the two people meanwhile, and while there was a first post and search.',
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
