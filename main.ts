/** The process: settings → page, storage, bus → instance → signals. What an instance is made of: `instance.ts`. */
import { type Config, readConfig, weaknesses } from './core/base/config.ts'
import { describeError } from './core/base/describe-error.ts'
import { ConfigurationError } from './core/base/errors.ts'
import { createLogger, type Logger } from './core/base/log.ts'
import { createMetrics } from './core/base/metrics.ts'
import { Releasers } from './core/base/releasers.ts'
import { createInProcessBus } from './core/bus/in-process.ts'
import { createRedisBus } from './core/bus/redis.ts'
import { prepareSlicer } from './core/doc/slicer.ts'
import { openStorage } from './core/store/storage.ts'
import { runInstance } from './instance.ts'
import { ensurePageBuilt } from './web/build.ts'

/** One Ctrl-C may arrive twice: from the terminal, and from npm, which hands on what it got itself. */
const sameSignalMs = 1_000
/** A stop that takes longer than this ends without what is left: the log has every edit. */
const stopWithinMs = 7_000

async function main(): Promise<void> {
  const config = readConfig()
  const log = createLogger(config.LOG_LEVEL)
  // What nobody foresaw may have left anything half-done. The log has every edit: a new process goes on from there.
  process.on('uncaughtException', error => {
    log.fatal({ err: error }, 'ended by a fault')
    if (!log.isLevelEnabled('fatal')) console.error(error)
    process.exit(1)
  })
  for (const weakness of weaknesses(config)) log.warn(weakness)
  const parts = new Releasers()
  const release = () => parts.release((name, error) => log.error({ err: error, part: name }, 'could not be closed'))
  try {
    const started = start(config, log, parts)
    let stopping = false
    // From the first moment on: the first process of a container gets no signal that it does not listen to.
    onSignal(async signal => {
      stopping = true
      log.info({ signal }, 'stopping')
      setTimeout(() => process.exit(0), stopWithinMs).unref()
      await started.catch(() => {}) // told below
      await release()
      process.exit(0)
    })
    const url = await started
    if (!stopping) console.log(`\n  boardsync ${config.version} is ready\n\n${whereToGo(config, url)}\n`)
  } catch (error) {
    await release()
    throw error
  }
}

/** @returns the address it listens at. What was opened is in `parts`. */
async function start(config: Config, log: Logger, parts: Releasers): Promise<string> {
  const page = config.ROLE === 'ws' ? undefined : ensurePageBuilt({ log: line => console.log(`  ${line}`) })
  // Awaited below, when storage is open; a build that fails before that must not count as heard by nobody.
  page?.catch(() => {})
  const metrics = createMetrics()
  const storage = await openStorage(config, log, kind => metrics.corruptions.inc({ kind }))
  parts.add('storage', () => storage.close())
  const bus = config.REDIS_URL ? createRedisBus(config.REDIS_URL, log) : createInProcessBus(log)
  parts.add('bus', () => bus.close())
  const instance = await runInstance({ config, log, metrics, storage, bus, page: await page }).catch(error => {
    if (!isOfListening(error)) throw error
    throw new ConfigurationError([
      `PORT, HOST: cannot listen on ${config.HOST}:${config.PORT}: ${describeError(error)}`,
    ])
  })
  parts.add('instance', () => instance.stop())
  if (config.ROLE !== 'api') prepareSlicer()
  return instance.url
}

/** Where it listens is told in any case: nobody else knows a port that was picked. */
function whereToGo({ ROLE, PUBLIC_URL }: Config, url: string): string {
  if (ROLE !== 'ws' && PUBLIC_URL === undefined) return `  Draw together at ${url}\n`
  return `${ROLE === 'ws' ? '' : `  Draw together at ${PUBLIC_URL}\n`}  Listening at ${url}\n`
}

/** By the system call that failed. */
const isOfListening = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && ['bind', 'getaddrinfo', 'listen'].includes(String(error.syscall))

/** The first SIGTERM or SIGINT stops the instance; one that comes later ends it at once. */
function onSignal(stop: (signal: NodeJS.Signals) => Promise<void>): void {
  let since: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (since !== undefined) {
        if (performance.now() - since > sameSignalMs) process.exit(1)
        return
      }
      since = performance.now()
      stop(signal).catch(error => {
        console.error(error)
        process.exit(1)
      })
    })
  }
}

main().catch(error => {
  console.error(error instanceof ConfigurationError ? error.message : error)
  process.exit(1)
})
