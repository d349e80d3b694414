/** The benchmarks still work: each scenario, small, on our server, and one on the bare relay; what is lost fails the run. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scenarios } from './scenarios.ts'
import { type Server, startServer } from './servers.ts'

let ours: Server
let relay: Server
beforeAll(async () => {
  ;[ours, relay] = await Promise.all([startServer('boardsync'), startServer('relay')])
})
afterAll(() => Promise.all([ours.stop(), relay.stop()]))

test.each(scenarios)('$name on boardsync has figures', { timeout: 120_000 }, async scenario => {
  const figures = await scenario.run(ours, 'smoke')
  for (const { key } of scenario.figures) expect(figures[key], key).toBeTypeOf('number')
})

test('a run in which an edit got lost has no figures', { timeout: 120_000 }, async () => {
  const [fanOut] = scenarios
  expect(await fanOut?.run(relay, 'smoke')).toBeDefined()
  let edits = 0
  const isEdit = (message: Uint8Array) => message[0] === 0 && message[1] === 2
  const loses: Server = {
    ...relay,
    urls: relay.urls,
    pids: relay.pids,
    dialect: { ...relay.dialect, wrap: (_, message) => (isEdit(message) && ++edits === 10 ? nothing : message) },
  }
  await expect(fanOut?.run(loses, 'smoke')).rejects.toThrow('whose predecessor it never got')
})

/** An awareness message with nobody in it. */
const nothing = Uint8Array.of(1, 1, 0)
