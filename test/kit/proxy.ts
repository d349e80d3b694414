/** A TCP proxy between us and a server, at whose mercy the connection is: slow, cut, silent, or refused. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** `url` with this proxy in the place of its host and port. */
  through(url: string): string
  /** What either side sends arrives this much later. */
  delay(ms: number): void
  /** Ends every connection with a reset, as a failing-over server does; new ones are taken. */
  cut(): void
  /** Half-open: connections stay and nothing passes, in either direction, until `resume`. New ones hang too. */
  stall(): void
  /** Refuses new connections and cuts those there are, until `resume`. */
  refuse(): void
  /** As at the beginning: everything passes, at once. What was held back by `stall` goes on its way. */
  resume(): void
  /** Calls `onBytes` with what the client sends, before it is passed on: to cut at a chosen moment. */
  watch(onBytes: ((bytes: Buffer) => void) | undefined): void
  stop(): Promise<void>
}

interface Pair {
  client: Socket
  server: Socket
}

export async function startProxy(target: { host: string; port: number }): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let latency = 0
  let refusing = false
  let stalled: (() => void)[] | undefined
  let onBytes: ((bytes: Buffer) => void) | undefined

  const pass = (bytes: Buffer, to: Socket) => {
    const write = () => {
      if (to.writable) to.write(bytes)
    }
    if (stalled) stalled.push(write)
    else if (latency > 0) setTimeout(write, latency)
    else write()
  }
  const cut = () => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  const listener = createServer(client => {
    if (refusing) {
      client.resetAndDestroy()
      return
    }
    const server = connect(target)
    const pair = { client, server }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    client.on('data', bytes => {
      onBytes?.(bytes)
      pass(bytes, server)
    })
    server.on('data', bytes => pass(bytes, client))
    for (const socket of [client, server]) {
      socket.on('error', end)
      socket.on('close', end)
    }
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', resolve)
  })
  const { port } = listener.address() as AddressInfo

  return {
    port,
    through(url) {
      const proxied = new URL(url)
      proxied.hostname = '127.0.0.1'
      proxied.port = String(port)
      return proxied.href
    },
    delay(ms) {
      latency = ms
    },
    cut,
    stall() {
      stalled ??= []
    },
    refuse() {
      refusing = true
      cut()
    },
    resume() {
      refusing = false
      latency = 0
      const held = stalled ?? []
      stalled = undefined
      for (const write of held) write()
    },
    watch(listen) {
      onBytes = listen
    },
    async stop() {
      cut()
      await new Promise(resolve => listener.close(resolve))
    },
  }
}
