import { deflateSync } from 'fflate'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { describe, expect, it, vi } from 'vitest'
import type { WebsocketProvider } from 'y-websocket'
import { takeDeflated } from './deflated.ts'

/** A provider that was told of this message. Without a length given it says the true one. */
function hear(message: Uint8Array, length = message.length) {
  const read = vi.fn((_encoder: unknown, decoder: decoding.Decoder) => decoding.readTailAsUint8Array(decoder))
  const messageHandlers: WebsocketProvider['messageHandlers'] = [read, read]
  takeDeflated({ messageHandlers })
  const body = encoding.encode(encoder => {
    encoding.writeVarUint(encoder, length)
    encoding.writeUint8Array(encoder, deflateSync(message))
  })
  const provider = {} as WebsocketProvider
  messageHandlers[100]?.(encoding.createEncoder(), decoding.createDecoder(body), provider, true, 100)
  return { read, provider }
}

/** Type 1, awareness, and a body of no matter what. */
const awareness = Uint8Array.from({ length: 5_000 }, (_, at) => (at === 0 ? 1 : at % 100))

describe('a deflated message', () => {
  it('is read as the awareness message that it is', () => {
    const { read, provider } = hear(awareness)
    expect(read).toHaveBeenCalledWith(expect.anything(), expect.anything(), provider, true, 1)
    expect(read.mock.results[0]?.value).toEqual(awareness.subarray(1))
  })

  it('is not read where it says to be longer than any that a server sends', () => {
    expect(() => hear(awareness, 1024 * 1024 + 1)).toThrow('1048577 bytes')
  })

  it('takes no more memory than it says, however much it inflates to', () => {
    const { read } = hear(
      Uint8Array.from({ length: 5_000_000 }, () => 1),
      1_000,
    )
    const taken: Uint8Array = read.mock.results[0]?.value
    expect(taken.length).toBe(999)
    expect(taken.buffer.byteLength).toBeLessThanOrEqual(1_000)
  })

  it.each([
    ['of an edit', Uint8Array.of(0, 2, 0), 'of type 0'],
    ['of a deflated message', Uint8Array.of(100, 3, 3, 0), 'of type 100'],
  ])('%s is not read', (_, message, why) => {
    expect(() => hear(message)).toThrow(why)
  })
})
