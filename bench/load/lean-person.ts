/**
 * One who opens a board and takes in megabytes with as little work as can be: on a machine that load and server share, what
 * unpacking them costs the load would be measured as the server's. Reads WebSocket frames (RFC 6455, 5.2) off the socket
 * without putting them together.
 */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Server } from '../servers.ts'
import { step1, step2 } from '../wire.ts'
import { isStep1, isStep2 } from './person.ts'

const readBytes = 256 * 1024

export interface Opened {
  ms: number
  /** y-protocols messages of the document, each in the pieces it came in. */
  messages: Uint8Array[][]
}

export interface HowToOpen {
  /** It takes nothing from the network for so long after it has asked, as one on a slow line. */
  waitsMs?: number
  /** What is kept of its nth message of the document. */
  keep?: (pieces: Uint8Array[], nth: number) => Uint8Array[]
}

/** Until the answer to step 1 is there, whole. */
export function openLean(
  server: Pick<Server, 'dialect' | 'urls'> & { name: string },
  board: string,
  { waitsMs = 0, keep = pieces => pieces }: HowToOpen = {},
): Promise<Opened> {
  const start = performance.now()
  const url = new URL(`${server.urls[0]}/${board}`)
  let take: (chunk: Buffer) => void = () => {}
  // Memory of its own for every 64 KiB costs more than to receive them.
  const callback = (length: number, buffer: Uint8Array) => {
    take(Buffer.from(buffer.subarray(0, length)))
    return true
  }
  const onread = { buffer: Buffer.allocUnsafe(readBytes), callback }
  const socket = connect({ port: Number(url.port), host: url.hostname, onread })
  socket.setNoDelay()
  const messages: Uint8Array[][] = []
  return new Promise((resolve, reject) => {
    const send = (message: Uint8Array) => socket.write(masked(server.dialect.wrap(board, message)))
    const onMessage = (pieces: Uint8Array[]) => {
      // The first piece may end within what tells the kind of a message.
      const [first = new Uint8Array(), ...rest] = pieces
      const message = server.dialect.unwrap(board, first.length < 300 ? Buffer.concat(pieces) : first)
      if (isStep1(message)) send(step2())
      else if (message[0] === 0 || message[0] === 4) {
        messages.push(keep(first.length < 300 ? [message] : [message, ...rest], messages.length))
      }
      if (!isStep2(message)) return
      resolve({ ms: performance.now() - start, messages })
      socket.destroy()
    }
    const onUpgraded = () => {
      for (const frame of server.dialect.hello(board)) socket.write(masked(frame))
      send(step1())
      if (waitsMs === 0) return
      socket.pause()
      setTimeout(() => socket.resume(), waitsMs)
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${server.name} hung up on a client that opened a board`)))
    socket.on('connect', () =>
      socket.write(
        `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      ),
    )
    take = reader(onUpgraded, onMessage)
  })
}

/** Of what comes in on one connection. @param take gets each message, in pieces */
function reader(onUpgraded: () => void, take: (pieces: Uint8Array[]) => void): (chunk: Buffer) => void {
  let upgraded = false
  let head: Buffer = Buffer.alloc(0)
  let pieces: Uint8Array[] = []
  let opcode = 0
  let left = 0
  return (chunk: Buffer) => {
    let rest: Buffer = chunk
    if (!upgraded) {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!head.toString('latin1', 0, end).startsWith('HTTP/1.1 101')) throw new Error(head.toString('latin1', 0, end))
      upgraded = true
      onUpgraded()
      rest = head.subarray(end + 4)
      head = Buffer.alloc(0)
    }
    while (rest.length > 0) {
      if (left === 0) {
        head = head.length > 0 ? Buffer.concat([head, rest]) : rest
        const length = headerLength(head)
        if (head.length < length) return
        opcode = (head[0] ?? 0) & 15
        left = payloadLength(head)
        rest = head.subarray(length)
        head = Buffer.alloc(0)
      }
      const piece = rest.subarray(0, left)
      rest = rest.subarray(piece.length)
      left -= piece.length
      if (piece.length > 0) pieces.push(piece)
      if (left > 0) return
      const message = pieces
      pieces = []
      if (opcode === 2) take(message)
    }
  }
}

const headerLength = (head: Buffer): number => {
  const short = (head[1] ?? 0) & 127
  return short === 127 ? 10 : short === 126 ? 4 : 2
}

function payloadLength(head: Buffer): number {
  if (((head[0] ?? 0) & 128) === 0) throw new Error('a message in several frames')
  const short = (head[1] ?? 0) & 127
  return short === 127 ? Number(head.readBigUInt64BE(2)) : short === 126 ? head.readUInt16BE(2) : short
}

/** A client masks; a mask of zeros changes nothing. */
function masked(message: Uint8Array): Buffer {
  const short = message.length < 126
  const header = short ? Buffer.alloc(6) : Buffer.alloc(8)
  header[0] = 0x82
  header[1] = 0x80 | (short ? message.length : 126)
  if (!short) header.writeUInt16BE(message.length, 2)
  return Buffer.concat([header, message])
}
