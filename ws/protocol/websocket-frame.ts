/** A message as it goes over a WebSocket (RFC 6455, 5.2): made once, and then the same bytes for every receiver. Pure. */

const finalBinary = 0x82

/** @returns the message behind its header, unmasked and unfragmented, as a server sends it */
export function webSocketFrame(message: Uint8Array): Buffer {
  const length = message.byteLength
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(header + length)
  frame[0] = finalBinary
  if (header === 2) {
    frame[1] = length
  } else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.set(message, header)
  return frame
}
