/**
 * Deflated messages: an extension of the y-websocket protocol, from the server to clients that asked for it.
 *
 *   100 deflated: length of the message (varuint) · the message (raw deflate, RFC 1951), to the end of the frame
 *
 * The message is one of the stock protocol, whole; only awareness is sent so. A client asks by offering the subprotocol
 * beside `boardsync`. Type 100 is far from what others use (y-protocols 0–3, Hocuspocus up to 10).
 */
export const deflateSubprotocol = 'boardsync.deflate'
export const deflatedType = 100

/** A message says its length first, and none is longer: who inflates it knows beforehand what memory that takes. */
export const inflatedBytesAtMost = 1024 * 1024
