/**
 * Keeps a stock WebsocketProvider's awareness quick and quiet. Unlike the provider left to itself, this page
 * - tells the server about its own user only. The provider sends back every change it hears, so that n pages make n²
 *   messages of every move of a cursor;
 * - shows everybody at once after a reconnect. Awareness ignores states whose clock it has seen, also of those whom the
 *   lost connection made it forget: they would stay invisible for up to 15 s, until they renew themselves, and so would
 *   this user for them;
 * - renews its user when the server says something, too. Awareness does so by a timer, which Chrome runs once a minute in
 *   tabs hidden for long, and peers drop whom they have not heard of for 30 s. The server is never silent for 13 s.
 */
import { outdatedTimeout } from 'y-protocols/awareness'
import { messageAwareness, messageSync, type WebsocketProvider } from 'y-websocket'

interface Change {
  added: number[]
  updated: number[]
  removed: number[]
}

/** The part of a provider that this needs. */
export type AwarenessProvider = Pick<
  WebsocketProvider,
  'awareness' | '_awarenessUpdateHandler' | 'messageHandlers' | 'on'
>

/** As often as the timer would. Whoever is renewed was told of just now, so that pages do not set each other off. */
const renewAfterMs = outdatedTimeout / 2

export function tameAwareness(provider: AwarenessProvider): void {
  const { awareness, messageHandlers, _awarenessUpdateHandler: send } = provider

  awareness.off('update', send)
  awareness.on('update', ({ added, updated, removed }: Change, origin: unknown) => {
    const isOwn = [...added, ...updated, ...removed].includes(awareness.clientID)
    if (isOwn) send({ added: [], updated: [awareness.clientID], removed: [] }, origin)
  })

  provider.on('status', ({ status }) => {
    if (status === 'disconnected') {
      for (const client of awareness.meta.keys()) if (client !== awareness.clientID) awareness.meta.delete(client)
    }
    if (status === 'connected') renew()
  })

  for (const type of [messageSync, messageAwareness]) {
    const handle = messageHandlers[type]
    messageHandlers[type] = (...message) => {
      handle?.(...message)
      const told = awareness.meta.get(awareness.clientID)
      if (awareness.getLocalState() && told && Date.now() - told.lastUpdated > renewAfterMs) renew()
    }
  }

  /** Setting the same state again moves its clock on. */
  function renew(): void {
    awareness.setLocalState(awareness.getLocalState())
  }
}
