/** The real server for tests: `main.ts` in a process of its own, as `npm start` runs it. */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }
import { endWithUs } from './last-will.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { until } from './until.ts'

/** Settings by name, as in `.env.example`. Those left out are at the server's own default, but for the ones below. */
export type Settings = Record<string, string>

interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process that may never come to listen: for tests of what the server refuses. */
export interface LaunchedInstance {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** All it has printed so far, stdout and stderr. */
  output(): string
  /** Default SIGTERM. Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<Exit>
  /** Clean-up: SIGKILL; its data goes too, unless the test named the folder. */
  stop(): Promise<void>
}

export interface Instance extends LaunchedInstance {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `ws://127.0.0.1:<port>`, what a stock client takes as its server. */
  readonly wsUrl: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @returns an instance that is ready. The very first start may have to build the page, hence the long timeout. */
export async function startInstance(settings: Settings = {}, { timeout = 90_000 } = {}): Promise<Instance> {
  const instance = launchInstance(settings)
  let exit: Exit | undefined
  void instance.exited.then(given => {
    exit = given
  })
  try {
    const listening = () => exit ?? addressIn(instance.output())
    const url = await until(listening, { timeout, what: 'the instance to print its address' })
    if (typeof url !== 'string') throw new Error(`the instance ended with ${url.code ?? url.signal}`)

    await until(async () => exit ?? (await answersReady(url)), { timeout, what: `${url}/ready to answer 200` })
    if (exit) throw new Error('the instance ended before it was ready')
    return { ...instance, url, wsUrl: url.replace('http', 'ws') }
  } catch (error) {
    await instance.stop()
    throw new Error(`${error}\nThe instance had printed:\n${instance.output()}`, { cause: error })
  }
}

/** What `npm start` runs, in a shell that it replaces: a signal for npm would not get past a shell that waits. */
export const startCommand = packageJson.scripts.start.replace(/^exec (.*) \|\| .*/, '$1')

/** Starts `main.ts` on a free port with data of its own, and waits for nothing. */
export function launchInstance(settings: Settings = {}): LaunchedInstance {
  const [, ...args] = startCommand.split(' ')
  return launch([process.execPath, ...args], settings)
}

/** As people start it. A signal goes to npm, and the instance ends by it only if npm hands it on. */
export const launchThroughNpm = (settings: Settings = {}): LaunchedInstance => launch(['npm', 'start'], settings)

function launch([program = '', ...args]: string[], settings: Settings): LaunchedInstance {
  const folder = settings.DATA_DIR === undefined ? temporaryFolder() : undefined
  const child = spawn(program, args, {
    cwd: root,
    env: { ...inherited(), PORT: '0', LOG_LEVEL: 'warn', DATA_DIR: folder?.path, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error('Node could not be started')
  endWithUs(child, { signal: 'KILL', ...(folder && { folder: folder.path }) })

  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const exited = new Promise<Exit>(resolve => child.once('close', (code, signal) => resolve({ code, signal })))
  const kill = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return exited
  }
  const stop = async () => {
    await kill('SIGKILL')
    folder?.stop()
  }
  return { pid, exited, output: () => output, kill, stop }
}

/** A developer's own DATABASE_URL, REDIS_URL or ADMIN_KEY must not decide what a test proves. */
function inherited(): Record<string, string | undefined> {
  const { PATH, HOME, TMPDIR, NODE_OPTIONS, NODE_EXTRA_CA_CERTS } = process.env
  return { PATH, HOME, TMPDIR, NODE_OPTIONS, NODE_EXTRA_CA_CERTS }
}

function addressIn(output: string): string | undefined {
  const port = /http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(output)?.[1]
  return port && `http://127.0.0.1:${port}`
}

async function answersReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) })
  return answer.status === 200
}
