/** A TCP port of 127.0.0.1 that was free a moment ago, for servers that cannot pick one themselves. */

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that the system gives to connections going out: one of them could have it before the server does. */
const from = 10_000
const to = 32_768

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(from, to)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false, // somebody has it
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
