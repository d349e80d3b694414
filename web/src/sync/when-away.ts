/** Calls back each time that the server turns out to be away. Returns the way to stop. */
import type { WebsocketProvider } from 'y-websocket'
import { isFinal } from './connection.ts'

/** A server that does not answer for this long is away. */
const patienceMs = 2_500

export function whenAway(provider: WebsocketProvider, act: () => void): () => void {
  const onClose = (event: CloseEvent | null) => {
    if (!event || !isFinal(event.code)) act()
  }
  provider.on('connection-close', onClose)
  const patience = setTimeout(() => {
    // A server that took the socket is there, and says next whether this user may see the board.
    if (!provider.wsconnected) act()
  }, patienceMs)
  return () => {
    provider.off('connection-close', onClose)
    clearTimeout(patience)
  }
}
