/**
 * Processes a test started end with the test process, however that one ends: also by `kill -9`, which runs no handler.
 *
 * Each gets a shell that waits on a pipe nobody writes to. The pipe closes when the test process is gone, and the shell
 * then ends the process and removes its folder. It runs in a session of its own, out of reach of Ctrl-C.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Stoppable } from './releasing.ts'

const will = 'read -r _; kill -s "$1" "$2" 2>/dev/null; [ -z "$3" ] || { sleep 1; rm -rf -- "$3"; }'

export interface Will {
  signal: 'KILL' | 'QUIT'
  /** Removed as well. */
  folder?: string
}

/** @returns what ends the shell, once the process has been seen to be gone */
export function endWithUs(child: ChildProcess, { signal, folder = '' }: Will): Stoppable {
  const shell = spawn('sh', ['-c', will, 'last-will', signal, String(child.pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const stop = () => shell.kill('SIGKILL')
  child.once('exit', stop)
  shell.unref()
  return { stop }
}
