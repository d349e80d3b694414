import { afterEach, describe, expect, test, vi } from 'vitest'
import { startPostgres } from '../../test/kit/postgres.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { silent } from '../../test/storage/site.ts'
import { Secret } from '../base/secret.ts'
import { connectPostgres } from './postgres.ts'
import { storageOn } from './storage.ts'
import { StorageMonitor } from './storage-monitor.ts'

const use = releasing()
afterEach(() => void vi.useRealTimers())
const watch = (ping: () => Promise<void>) => use(new StorageMonitor({ ping }, silent))

describe('the storage monitor', () => {
  test('notices an outage and the return, by itself', async () => {
    const postgres = use(await startPostgres({ fsync: false }))
    const storage = use(storageOn(connectPostgres(new Secret(postgres.url), silent), 30, silent), given =>
      given.close(),
    )
    const monitor = watch(() => storage.ping())
    await monitor.probe()
    expect(monitor.state).toBe('up')
    await postgres.halt('immediate')
    await until(() => monitor.state === 'down')
    await postgres.start()
    await until(() => monitor.state === 'up')
  })

  test('takes a database that does not answer at all for one that is down within five seconds, until it answers', async () => {
    vi.useFakeTimers()
    let answer = () => {}
    const monitor = watch(
      () =>
        new Promise(resolve => {
          answer = resolve
        }),
    )
    await vi.advanceTimersByTimeAsync(4_999)
    expect(monitor.state).toBe('down')
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(monitor.state).toBe('up')
  })

  test('believes those who use the database, without a probe', () => {
    const monitor = watch(async () => {})
    monitor.report('down')
    expect(monitor.state).toBe('down')
    monitor.report('up')
    expect(monitor.state).toBe('up')
  })

  test('asks one question at a time', async () => {
    let asked = 0
    let answer = () => {}
    const monitor = watch(() => {
      asked++
      return new Promise(resolve => {
        answer = resolve
      })
    })
    const probes = [monitor.probe(), monitor.probe()]
    answer()
    await Promise.all(probes)
    expect(asked).toBe(1)
  })
})
