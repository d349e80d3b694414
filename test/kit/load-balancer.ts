/** A small TCP load balancer: a new connection goes to the next instance that says it is ready, as in a deployment. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Stoppable } from './releasing.ts'

export interface LoadBalancer extends Stoppable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `ws://127.0.0.1:<port>` */
  readonly wsUrl: string
  stop(): Promise<void>
}

const askEveryMs = 100
/** Long: an instance that is busy is still there. */
const answerWithinMs = 5_000

/**
 * @returns one that has asked each of them
 * @param targets the addresses of the instances there are, `http://host:port`; asked for again and again
 */
export async function startLoadBalancer(targets: () => readonly string[]): Promise<LoadBalancer> {
  const ready = new Set<string>()
  const asking = new Set<string>()
  const sockets = new Set<Socket>()
  let turn = 0

  const ask = async (target: string) => {
    if (asking.has(target)) return
    asking.add(target)
    const isReady = await saysReady(target)
    asking.delete(target)
    if (isReady) ready.add(target)
    else ready.delete(target)
  }
  const askAll = () => Promise.all(targets().map(ask))
  await askAll()
  const timer = setInterval(() => void askAll(), askEveryMs)
  /** Those that are ready, each time beginning with another one. */
  const candidates = () => {
    const fit = targets().filter(target => ready.has(target))
    const first = fit.length > 0 ? turn++ % fit.length : 0
    return [...fit.slice(first), ...fit.slice(0, first)]
  }

  const forward = (client: Socket, [target, ...others]: string[]) => {
    if (target === undefined || client.destroyed) return void client.destroy()
    const server = connect({ host: '127.0.0.1', port: Number(new URL(target).port) })
    const tryNext = () => {
      ready.delete(target)
      forward(client, others)
    }
    server.once('error', tryNext)
    server.once('connect', () => {
      server.off('error', tryNext)
      join(client, server)
    })
  }
  const join = (client: Socket, server: Socket) => {
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()) // a reset on one side ends the other
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }

  const listener = createServer({ pauseOnConnect: true }, client => {
    client.on('error', () => client.destroy()) // it may leave before it is forwarded
    forward(client, candidates())
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', resolve)
  })
  const { port } = listener.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    async stop() {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => listener.close(resolve))
    },
  }
}

async function saysReady(target: string): Promise<boolean> {
  try {
    const answer = await fetch(`${target}/ready`, { signal: AbortSignal.timeout(answerWithinMs) })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false // gone, or standing still: no place for a new connection either way
  }
}
