/**
 * Loaded into each server under test: at SIGUSR2 it collects its garbage and writes down what is left (heap and buffers, in
 * bytes). Resident memory does not tell: it grows with garbage that nobody has needed to collect.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('SIGUSR2', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    collect()
    // Buffers go a turn after what held them.
    setImmediate(() => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      const file = `${tmpdir()}/boardsync-bench-held-${process.pid}`
      writeFileSync(`${file}.part`, String(heapUsed + external))
      renameSync(`${file}.part`, file)
    })
  })
}
