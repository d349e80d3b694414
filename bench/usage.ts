/** What processes use, from proc(5): CPU seconds and resident memory. So the benchmarks run on Linux. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

/** Clock ticks per second, as Linux reports them to programs (sysconf _SC_CLK_TCK). */
const ticksPerSecond = 100

export class Usage {
  readonly #pids: readonly number[]
  readonly #settles: boolean

  /** @param settles false: nobody waits for memory to settle, where figures are not what a run is for */
  constructor(pids: readonly number[], settles = true) {
    this.#pids = pids
    this.#settles = settles
  }

  /** CPU seconds so far, user and system, of all threads. */
  cpu(): number {
    return this.#sum(pid => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The second field is the program's name in brackets, which may hold spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    })
  }

  /** Megabytes resident now. */
  rss(): number {
    return this.#sum(pid => statusOf(pid, 'VmRSS'))
  }

  /** Megabytes, the most since {@link resetPeak}. */
  peak(): number {
    return this.#sum(pid => statusOf(pid, 'VmHWM'))
  }

  resetPeak(): void {
    for (const pid of this.#pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  }

  /** Resident memory once it has stopped changing: two looks, a second apart, less than 1 % from each other. */
  async settledRss(withinMs = 15_000): Promise<number> {
    if (!this.#settles) return this.rss()
    const until = Date.now() + withinMs
    for (let last = this.rss(); ; ) {
      await pause(1_000)
      const now = this.rss()
      if (Math.abs(now - last) < now * 0.01 || Date.now() > until) return now
      last = now
    }
  }

  /** Resident memory once it has settled, before anything is asked of the servers: the garbage of their start is collected. */
  async emptyRss(): Promise<number> {
    await this.collectGarbage()
    return this.settledRss()
  }

  /**
   * Megabytes of heap and buffers that are left when all garbage is collected, once that has stopped changing: what a server still
   * works on (a log that is packed, a state that is stored) it does not hold for long.
   */
  async held(withinMs = 10_000): Promise<number> {
    const until = Date.now() + withinMs
    for (let last = await this.collectGarbage(); ; ) {
      if (!this.#settles) return last
      await pause(1_000)
      const now = await this.collectGarbage()
      if (Math.abs(now - last) < 1 || Date.now() > until) return now
      last = now
    }
  }

  /** Has every server collect its garbage (`load/held-memory.js`). @returns megabytes that are left */
  async collectGarbage(): Promise<number> {
    const files = this.#pids.map(pid => `${tmpdir()}/boardsync-bench-held-${pid}`)
    for (const file of files) rmSync(file, { force: true })
    for (const pid of this.#pids) process.kill(pid, 'SIGUSR2')
    for (const until = Date.now() + 10_000; !files.every(file => existsSync(file)); await pause(20)) {
      if (Date.now() > until) throw new Error('a server does not tell what memory it holds')
    }
    const bytes = files.map(file => Number(readFileSync(file, 'utf8')))
    for (const file of files) rmSync(file)
    return bytes.reduce((sum, each) => sum + each, 0) / 1024 / 1024
  }

  #sum(of: (pid: number) => number): number {
    return this.#pids.reduce((sum, pid) => sum + of(pid), 0)
  }
}

function statusOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}
