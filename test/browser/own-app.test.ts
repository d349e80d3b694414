/** The README's example, as it stands there, is an app of its own on another origin that works. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import { build } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { launchChromium } from '../kit/chromium.ts'
import { freePort } from '../kit/free-port.ts'
import { startInstance } from '../kit/instance.ts'
import { releasing } from '../kit/releasing.ts'
import { connectStock } from '../kit/stock-client.ts'
import { until } from '../kit/until.ts'

const use = releasing(afterAll)
const root = fileURLToPath(new URL('../..', import.meta.url))

async function example(): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, code] = /```tsx\n(.*?)```/s.exec(readme) ?? []
  if (!code) throw new Error('the README has no example')
  return code
}

/** What every React app begins with. */
function mounting(component: string, file: string, props: string): string {
  const take = (name: string, module: string) => `import { ${name} } from ${JSON.stringify(module)}\n`
  const imports = take('createRoot', 'react-dom/client') + take('createElement', 'react') + take(component, file)
  return `${imports}createRoot(document.getElementById('root')!).render(createElement(${component}, ${props}))`
}

/** Builds the example into a folder inside the checkout, where it finds its packages. */
async function buildApp(wsUrl: string): Promise<string> {
  const folder = await mkdtemp(join(root, 'dist', 'example-'))
  use({ stop: () => rm(folder, { recursive: true, force: true }) })
  await writeFile(join(folder, 'board.tsx'), await example())
  const props = JSON.stringify({ boardId: 'example', wsUrl, name: 'Amber Otter' })
  await writeFile(join(folder, 'main.tsx'), mounting('Board', './board.tsx', props))
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><div id="root" style="position:fixed;inset:0"></div><script type="module" src="./main.tsx"></script>',
  )
  const alias = { 'boardsync/sync': join(root, 'web/src/sync/index.ts') }
  const outDir = join(folder, 'out')
  await build({ root: folder, configFile: false, logLevel: 'silent', resolve: { alias }, build: { outDir } })
  return outDir
}

/** Serves the app, and gives a token to whoever asks. */
async function serveApp(directory: string, port: number, token: () => string) {
  const app = fastify()
  use({ stop: () => app.close() })
  await app.register(fastifyStatic, { root: directory })
  app.get('/board-token', () => token())
  await app.listen({ port, host: '127.0.0.1' })
  return `http://127.0.0.1:${port}`
}

test('the README’s example draws with everybody else, from an app on another origin', {
  timeout: 120_000,
}, async () => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const key = 'a-key-of-at-least-16-characters'
  const instance = use(await startInstance({ ADMIN_KEY: key, ALLOWED_ORIGINS: origin }))
  let asked = 0
  // The first token is wrong: the hook asks again.
  const app = await serveApp(await buildApp(instance.wsUrl), port, () => (++asked === 1 ? 'expired' : key))

  const browser = use(await launchChromium(), given => given.close())
  const page = await browser.newPage()
  const sockets: string[] = []
  page.on('websocket', socket => sockets.push(socket.url()))
  await page.goto(app)
  await page.locator('.tl-canvas').waitFor()
  expect(asked).toBe(2)

  const { doc, ...peer } = use(connectStock(instance.wsUrl, 'example', { params: { token: key } }))
  await peer.synced
  await page.keyboard.press('n')
  await page.mouse.click(500, 350)
  await page.locator('[contenteditable=true]:focus').waitFor()
  await page.keyboard.type('hello')
  await until(doc, () => JSON.stringify(doc.getMap('tldraw')).includes('hello'))
  await until(() => [...peer.awareness.getStates().values()].some(state => state.user?.name === 'Amber Otter'))
  for (const url of sockets) expect(url).not.toContain(key)
})
