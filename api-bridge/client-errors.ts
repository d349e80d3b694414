/**
 * What comes over a connection and is no request that a route could answer: answered by a problem document all the same. On a
 * connection on which other answers are under way it comes behind them (RFC 9112, 9.3.2), and then the connection ends.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemDocument } from './problems.ts'

/** In ms: within these the headers, and the whole request, have to be here. */
export interface ArrivalTimes {
  headers: number
  all: number
}

export class ClientErrors {
  readonly #times: ArrivalTimes
  /** Of the requests that each connection has brought: the answers that are not sent whole yet, and the last one. */
  readonly #underWay = new WeakMap<Socket, Set<ServerResponse>>()
  readonly #last = new WeakMap<Socket, ServerResponse>()
  readonly #ending = new WeakSet<Socket>()

  constructor(times: ArrivalTimes) {
    this.#times = times
  }

  /** Hears of this server's requests before it answers them. */
  watch(server: Server): void {
    server.prependListener('request', (request, response) => this.#note(request, response))
    server.on('checkExpectation', (request, response) => {
      this.#note(request, response)
      const { head, body } = messageOf(new Problem('expectation-failed', 'only 100-continue can be expected here'))
      response.writeHead(417, head).end(body)
    })
  }

  /** Not even a request: there is a socket, and what Node's parser says of what came over it. */
  async answer(error: Error & { code?: string }, socket: Socket): Promise<void> {
    if (error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    // What comes after something that cannot be read cannot be read either.
    if (this.#ending.has(socket)) return
    this.#ending.add(socket)
    const last = this.#last.get(socket)
    // Then it is the body of that request that is at fault: this is the answer to it.
    const own = last?.req.complete === false ? last : undefined
    const others = [...(this.#underWay.get(socket) ?? [])].filter(response => response !== own)
    await Promise.all(others.map(response => new Promise(resolve => response.once('close', resolve))))
    if (!socket.writable || own?.headersSent) {
      socket.destroySoon()
      return
    }
    const { status, head, body } = messageOf(this.#problemOf(error.code))
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...Object.entries(head).map(([name, value]) => `${name}: ${value}`),
      'connection: close',
    ]
    socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  }

  #note({ socket }: IncomingMessage, response: ServerResponse): void {
    const underWay = this.#underWay.get(socket) ?? new Set()
    this.#underWay.set(socket, underWay.add(response))
    this.#last.set(socket, response)
    response.once('close', () => underWay.delete(response))
  }

  #problemOf(code: string | undefined): Problem {
    const seconds = { headers: this.#times.headers / 1_000, all: this.#times.all / 1_000 }
    switch (code) {
      case 'ERR_HTTP_REQUEST_TIMEOUT':
        return new Problem(
          'request-timeout',
          `the request was not here in time: its headers within ${seconds.headers} s, all of it within ${seconds.all} s`,
        )
      case 'HPE_HEADER_OVERFLOW':
        return new Problem('headers-too-large', 'address and headers together have at most 16 KiB')
      default:
        return new Problem('http-malformed', 'this is not HTTP/1.1')
    }
  }
}

function messageOf(problem: Problem) {
  const body = JSON.stringify(problemDocument(problem))
  const head = { 'content-type': 'application/problem+json', 'content-length': Buffer.byteLength(body) }
  return { status: problem.status, head, body }
}
