/**
 * Stands in for a transaction pooler in front of a Postgres: it refuses sessions that begin with time limits, as
 * PgBouncer 1.18 does unless told to ignore them.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Stoppable } from './releasing.ts'

const unknownToIt = ['statement_timeout', 'idle_in_transaction_session_timeout']

export interface Pooler extends Stoppable {
  /** `url` with this in the place of its host and port. */
  readonly url: string
  /** How many sessions it refused. */
  readonly refused: number
}

export async function startPooler(url: string): Promise<Pooler> {
  const [server, here] = [new URL(url), new URL(url)]
  const sockets = new Set<Socket>()
  let refused = 0
  const listener = createServer(client => {
    sockets.add(client)
    client.on('error', () => client.destroy())
    // The first message of a session fits into the first piece that arrives.
    client.once('data', first => {
      const parameter = unknownToIt.find(name => first.includes(`${name}\0`))
      if (parameter !== undefined) {
        refused++
        client.end(fatal('08P01', `unsupported startup parameter: ${parameter}`))
        return
      }
      const session = connect(Number(server.port), server.hostname)
      sockets.add(session)
      session.on('error', () => client.destroy())
      session.write(first)
      client.pipe(session).pipe(client)
    })
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  here.port = String((listener.address() as AddressInfo).port)
  return {
    url: here.href,
    get refused() {
      return refused
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => listener.close(resolve))
    },
  }
}

/** An ErrorResponse (Postgres manual, message formats). */
function fatal(state: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C${state}\0M${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}
